//! The register of legalisations: dense per office and civil year.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::fact::RegisterNumber;

/// Shortest and longest reason for annulling an entry, in characters.
pub const ANNULMENT_REASON: std::ops::RangeInclusive<usize> = 10..=2_000;

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// The number is taken, the seal not yet complete.
    Pending,
    Sealed,
    Annulled,
}

impl EntryState {
    const ALL: [Self; 3] = [Self::Pending, Self::Sealed, Self::Annulled];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Sealed => "SEALED",
            Self::Annulled => "ANNULLED",
        }
    }

    /// Reads [`EntryState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Why an entry came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annulment {
    pub reason: String,
    pub officer_id: Uuid,
    pub at: DateTime<Utc>,
}

/// An entry of an office's register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterEntry {
    pub office_id: Uuid,
    pub number: RegisterNumber,
    /// Civil date in Africa/Casablanca of the intent.
    pub date: NaiveDate,
    pub state: EntryState,
    /// Present for annulled entries.
    pub annulment: Option<Annulment>,
    pub request_id: Uuid,
    pub intent_id: Uuid,
}
