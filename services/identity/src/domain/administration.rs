//! Administrations that a document may be destined for.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::office::Period;

/// An administration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administration {
    pub id: Uuid,
    /// Counts the administration's events.
    pub version: i64,
    pub name_ar: String,
    pub name_fr: String,
    pub enrolled: Period,
    pub created_at: DateTime<Utc>,
}

/// Changes of an administration; an absent name stays.
#[derive(Debug, Clone)]
pub struct AdministrationChange {
    pub name_ar: Option<String>,
    pub name_fr: Option<String>,
    /// `None` leaves the end as it is.
    pub enrolled_to: Option<NaiveDate>,
}

/// What happened to an administration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdministrationFact {
    Enrolled,
    Changed,
}

impl Administration {
    /// `None` when it would end before it begins.
    pub fn change(self, change: AdministrationChange) -> Option<(Self, AdministrationFact)> {
        let enrolled = match change.enrolled_to {
            Some(to) => Period::new(self.enrolled.from(), Some(to))?,
            None => self.enrolled,
        };
        let changed = Self {
            name_ar: change.name_ar.unwrap_or(self.name_ar),
            name_fr: change.name_fr.unwrap_or(self.name_fr),
            enrolled,
            version: self.version + 1,
            ..self
        };
        Some((changed, AdministrationFact::Changed))
    }
}
