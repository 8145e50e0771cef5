//! Refusal of a request by the office (law 55-19: a refusal is written and gives its reason).

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Shortest and longest text, in characters.
pub const TEXT_LENGTH: std::ops::RangeInclusive<usize> = 10..=2_000;

/// At which of the two levels a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Agent,
    Officer,
}

impl Level {
    /// The name in the database and in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Officer => "officer",
        }
    }

    /// Reads [`Level::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Agent, Self::Officer]
            .into_iter()
            .find(|level| level.as_str() == text)
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Code from the catalogue.
    pub reason_code: String,
    pub text: String,
    pub level: Level,
    pub refused_by: Uuid,
    pub refused_at: DateTime<Utc>,
}
