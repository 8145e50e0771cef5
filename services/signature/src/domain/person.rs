//! The signer as the act names them.

use serde::{Deserialize, Serialize};

/// Names and identity document of the signer, as they stood when the signature was confirmed. Does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    pub given_name_arabic: String,
    pub family_name_arabic: String,
    pub given_name_latin: String,
    pub family_name_latin: String,
    pub document_kind: IdentityDocumentKind,
    pub document_number: String,
}

impl Signer {
    /// Given name, then family name, in Latin script.
    pub fn name_latin(&self) -> String {
        format!("{} {}", self.given_name_latin, self.family_name_latin)
            .trim()
            .to_owned()
    }

    /// Given name, then family name, in Arabic script.
    pub fn name_arabic(&self) -> String {
        format!("{} {}", self.given_name_arabic, self.family_name_arabic)
            .trim()
            .to_owned()
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// Kinds of identity document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IdentityDocumentKind {
    Cin,
    Passport,
    ResidenceCard,
}
