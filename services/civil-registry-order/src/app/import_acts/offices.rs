//! Offices as files name them: by their code, or by their id.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

/// Every office, by its code.
#[derive(Debug, Clone, Default)]
pub struct Offices {
    by_code: HashMap<String, Uuid>,
    ids: HashSet<Uuid>,
}

impl Offices {
    /// These offices.
    pub fn new(by_code: HashMap<String, Uuid>) -> Self {
        let ids = by_code.values().copied().collect();
        Self { by_code, ids }
    }

    /// The office that a file means.
    pub fn resolve(&self, named: &str) -> Option<Uuid> {
        let named = named.trim();
        self.by_code.get(named).copied().or_else(|| {
            let id = Uuid::try_parse(named).ok()?;
            self.ids.contains(&id).then_some(id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_offices_that_are_there_are_meant() {
        let id = Uuid::from_u128(7);
        let offices = Offices::new(HashMap::from([("C-1".to_owned(), id)]));
        assert_eq!(offices.resolve(" C-1 "), Some(id));
        assert_eq!(offices.resolve(&id.to_string()), Some(id));
        assert_eq!(offices.resolve("C-2"), None);
        assert_eq!(offices.resolve(&Uuid::from_u128(8).to_string()), None);
    }
}
