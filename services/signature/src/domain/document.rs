//! An uploaded file and what intake found in it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Largest upload in bytes.
pub const MAX_BYTES: u64 = 20 * 1024 * 1024;
/// Longest file name, in characters.
pub const MAX_FILE_NAME: usize = 255;

/// Size of a page as displayed (after crop box and rotation), in points of 1/72 inch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PageSize {
    pub width: f64,
    pub height: f64,
}

/// How a document can be sealed, given the signatures it already carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SealPolicy {
    /// No signature yet: the citizen's signature is drawn in place and a legalisation page is added.
    Unsigned,
    /// Approval signatures without a lock: a visible field, no page.
    VisibleField,
    /// Certified with P=2 or 3, or a lock on other fields: this empty field is used.
    ExistingField { name: String },
    /// Certified with P=2 or 3 without an empty field: an invisible field.
    InvisibleField,
}

/// A signature found in an uploaded file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExistingSignature {
    pub field_name: String,
    /// DocMDP level 1 to 3 (ISO 32000-2, 12.8.2.2); 0 for an approval signature.
    pub certification_level: u8,
}

/// The reason of a page that nothing can be drawn on: its content leaves thousands of graphics states open, or closes as many too many.
/// Found when a signature is placed on it.
pub const PAGE_UNBALANCED: &str = "PAGE_UNBALANCED";

/// Why a file was refused at intake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeRefusal {
    /// Stable code, such as `ENCRYPTED`.
    pub reason: String,
    pub object_number: Option<u32>,
    /// What was found, for a person who makes such files; no text of the document.
    pub detail: String,
}

/// What intake found in a file that may be legalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    pub pages: Vec<PageSize>,
    pub existing_signatures: Vec<ExistingSignature>,
    pub policy: SealPolicy,
}

/// Outcome of intake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Inspection {
    Accepted(Accepted),
    Refused(IntakeRefusal),
}

/// An uploaded document. Immutable once recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub id: Uuid,
    pub owner_id: Uuid,
    /// As the person's device names it.
    pub file_name: String,
    pub size_bytes: u64,
    pub sha256: [u8; 32],
    /// Where the bytes are; nothing of a refused file is kept.
    pub object_key: Option<String>,
    pub verdict: Inspection,
    pub created_at: DateTime<Utc>,
}

impl Document {
    /// What intake found, unless the file was refused.
    pub fn accepted(&self) -> Option<&Accepted> {
        match &self.verdict {
            Inspection::Accepted(accepted) => Some(accepted),
            Inspection::Refused(_) => None,
        }
    }

    /// The page with this number (1 is the first).
    pub fn page(&self, number: u32) -> Option<PageSize> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.accepted()?.pages.get(index).copied()
    }
}

/// Cleans a file name for showing it back: the last path segment without control characters and without characters that
/// reorder text.
///
/// # Errors
/// A sentence for the field when nothing is left or the name is too long.
pub fn file_name(text: &str) -> Result<String, &'static str> {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let cleaned: String = last
        .chars()
        .filter(|character| !is_unprintable(*character))
        .collect();
    let cleaned = cleaned.trim();
    if cleaned.is_empty() {
        return Err("must not be empty");
    }
    if cleaned.chars().count() > MAX_FILE_NAME {
        return Err("must have at most 255 characters");
    }
    Ok(cleaned.to_owned())
}

/// Control characters and the bidirectional formatting characters (Unicode UAX #9).
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_cleaned() {
        assert_eq!(
            file_name("C:\\Users\\x\\عقد كراء.pdf").as_deref(),
            Ok("عقد كراء.pdf")
        );
        assert_eq!(file_name("a\u{202E}fdp.exe\n").as_deref(), Ok("afdp.exe"));
        assert_eq!(file_name("../../etc/passwd").as_deref(), Ok("passwd"));
        assert!(file_name(" \u{200F} ").is_err());
        assert!(file_name(&"x".repeat(256)).is_err());
    }
}
