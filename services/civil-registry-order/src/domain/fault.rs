//! What is wrong with a field, so that all of it can be said at once.

/// A wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Dotted path, such as `lines[0].act.year`.
    pub field: String,
    pub reason: &'static str,
    /// What is wrong and what would be right.
    pub description: String,
}

impl Fault {
    /// A wrong field.
    pub fn new(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason,
            description: description.into(),
        }
    }
}

/// The faults found so far, below a path.
#[derive(Debug, Default)]
pub struct Faults {
    path: Vec<String>,
    found: Vec<Fault>,
}

impl Faults {
    /// Notes a fault.
    pub fn note(&mut self, field: &str, reason: &'static str, description: impl Into<String>) {
        let mut path = self.path.join(".");
        if !path.is_empty() && !field.is_empty() {
            path.push('.');
        }
        path.push_str(field);
        self.found.push(Fault {
            field: path,
            reason,
            description: description.into(),
        });
    }

    /// Notes what is found below a field.
    pub fn below<T>(&mut self, field: impl Into<String>, look: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(field.into());
        let value = look(self);
        self.path.pop();
        value
    }

    /// Notes what was found elsewhere, below a path.
    pub fn take(&mut self, path: &str, other: Self) {
        for fault in other.found {
            let field = if fault.field.is_empty() {
                path.to_owned()
            } else {
                format!("{path}.{}", fault.field)
            };
            self.note(&field, fault.reason, fault.description);
        }
    }

    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were found.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// What was found.
    pub fn into_found(self) -> Vec<Fault> {
        self.found
    }
}
