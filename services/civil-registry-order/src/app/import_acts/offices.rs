//! Offices as files name them: by their code, or by their id.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::domain::act::Fault;

/// Every office, by its code.
#[derive(Debug, Clone, Default)]
pub struct Offices {
    by_code: HashMap<String, Uuid>,
    ids: HashSet<Uuid>,
    without_registers: HashSet<Uuid>,
}

impl Offices {
    /// These offices.
    pub fn new(by_code: HashMap<String, Uuid>) -> Self {
        let ids = by_code.values().copied().collect();
        Self {
            by_code,
            ids,
            without_registers: HashSet::new(),
        }
    }

    /// Of which these are of a kind that holds no registers.
    #[must_use]
    pub fn without_registers(self, ids: HashSet<Uuid>) -> Self {
        Self {
            without_registers: ids,
            ..self
        }
    }

    /// The office whose register a file means.
    ///
    /// # Errors
    /// The [`Fault`] of the row.
    pub fn resolve(&self, named: &str) -> Result<Uuid, Fault> {
        let named = named.trim();
        let by_id = || {
            let id = Uuid::try_parse(named).ok()?;
            self.ids.contains(&id).then_some(id)
        };
        let found = self.by_code.get(named).copied().or_else(by_id).ok_or_else(|| {
            let text = "must be the code or the id of an office";
            Fault::new("office", "OFFICE_UNKNOWN", text)
        })?;
        if self.without_registers.contains(&found) {
            let text = "must be an office that holds registers";
            return Err(Fault::new("office", "OFFICE_WITHOUT_REGISTERS", text));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_offices_that_are_there_are_meant() {
        let id = Uuid::from_u128(7);
        let region = Uuid::from_u128(9);
        let codes = HashMap::from([("C-1".to_owned(), id), ("R-1".to_owned(), region)]);
        let offices = Offices::new(codes).without_registers(HashSet::from([region]));
        let resolve = |named: &str| offices.resolve(named).map_err(|fault| fault.reason);
        assert_eq!(resolve(" C-1 "), Ok(id));
        assert_eq!(resolve(&id.to_string()), Ok(id));
        assert_eq!(resolve("C-2"), Err("OFFICE_UNKNOWN"));
        assert_eq!(resolve(&Uuid::from_u128(8).to_string()), Err("OFFICE_UNKNOWN"));
        assert_eq!(resolve("R-1"), Err("OFFICE_WITHOUT_REGISTERS"));
        assert_eq!(resolve(&region.to_string()), Err("OFFICE_WITHOUT_REGISTERS"));
    }
}
