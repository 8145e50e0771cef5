//! An agent's comparison of the signature with the specimen.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Longest note, in characters.
pub const MAX_NOTE: usize = 2_000;

/// What the agent saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparisonResult {
    Matches,
    MatchesWithDifferences,
    Differs,
}

impl ComparisonResult {
    pub const ALL: [Self; 3] = [Self::Matches, Self::MatchesWithDifferences, Self::Differs];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matches => "MATCHES",
            Self::MatchesWithDifferences => "MATCHES_WITH_DIFFERENCES",
            Self::Differs => "DIFFERS",
        }
    }

    /// Reads [`ComparisonResult::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.as_str() == text)
    }
}

/// How, where and when identity was proved for a specimen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecimenProof {
    /// Such as `IN_PERSON`.
    pub method: String,
    pub office_id: Option<Uuid>,
    pub at: DateTime<Utc>,
}

/// The two pictures laid side by side for an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub region_sha256: [u8; 32],
    pub specimen_sha256: [u8; 32],
    pub specimen_version: i32,
    pub specimen_proof: SpecimenProof,
    pub shown_at: DateTime<Utc>,
}

/// What an agent declares: the result, and which pictures it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub result: ComparisonResult,
    pub note: String,
    pub specimen_version: i32,
    pub region_sha256: [u8; 32],
    pub specimen_sha256: [u8; 32],
}

impl Declared {
    /// Whether the declaration is about exactly what was shown.
    pub fn is_about(&self, shown: &Shown) -> bool {
        self.specimen_version == shown.specimen_version
            && self.region_sha256 == shown.region_sha256
            && self.specimen_sha256 == shown.specimen_sha256
    }

    /// The record of this declaration by an agent, about what was shown to them.
    pub fn recorded(self, agent_id: Uuid, shown: Shown, now: DateTime<Utc>) -> Comparison {
        Comparison {
            agent_id,
            result: self.result,
            note: self.note,
            specimen_version: shown.specimen_version,
            specimen_proof: shown.specimen_proof,
            region_sha256: shown.region_sha256,
            specimen_sha256: shown.specimen_sha256,
            compared_at: now,
        }
    }
}

/// The record of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    pub agent_id: Uuid,
    pub result: ComparisonResult,
    pub note: String,
    pub specimen_version: i32,
    pub specimen_proof: SpecimenProof,
    /// SHA-256 of the PNG of the region.
    pub region_sha256: [u8; 32],
    /// SHA-256 of the PNG of the specimen.
    pub specimen_sha256: [u8; 32],
    pub compared_at: DateTime<Utc>,
}
