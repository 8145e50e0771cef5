use std::collections::BTreeSet;

use super::super::report::Change;

/// What one revision adds to another.
pub(in crate::verify) enum Step {
    /// Only these.
    Additions(Vec<Addition>),
    /// Objects that changed in another way.
    Other(BTreeSet<u32>),
}

/// One proper addition.
pub(in crate::verify) struct Addition {
    pub(in crate::verify) change: Change,
    /// Number of the object that shows it.
    pub(in crate::verify) object: u32,
    /// The field, for signatures, time-stamps and empty fields.
    pub(in crate::verify) field: Option<AddedField>,
}

/// A field that is new or newly signed.
pub(in crate::verify) struct AddedField {
    /// Fully qualified name.
    pub(in crate::verify) name: String,
    /// Whether the field stood there, empty.
    pub(in crate::verify) existed: bool,
    /// Whether something is seen on the page that was not seen before.
    pub(in crate::verify) visible: bool,
}

impl Addition {
    pub(super) fn plain(change: Change, object: u32) -> Self {
        Self {
            change,
            object,
            field: None,
        }
    }

    pub(in crate::verify) fn is_visible(&self) -> bool {
        self.field.as_ref().is_some_and(|field| field.visible)
    }
}
