//! For whom a document is legalised, and who receives a power of attorney.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest free name, in characters.
pub const MAX_NAME: usize = 200;

/// An enrolled administration with its names at the time of choosing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administration {
    pub id: Uuid,
    pub name_ar: String,
    pub name_fr: String,
}

/// Where a document goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Destination {
    EnrolledAdministration(Administration),
    OtherAdministration {
        name: String,
    },
    /// The name may be left out.
    PrivateParty {
        name: Option<String>,
    },
    Abroad {
        name: String,
    },
}

/// The person who receives a power of attorney. Does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandatary {
    pub name_arabic: Option<String>,
    pub name_latin: Option<String>,
    pub identity_document_number: String,
    pub address: String,
}

impl std::fmt::Debug for Mandatary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mandatary").finish_non_exhaustive()
    }
}
