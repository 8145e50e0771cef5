//! Who looks after the platform.

use super::language::Language;

/// Where messages to them go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administration {
    pub email: String,
    pub language: Language,
}
