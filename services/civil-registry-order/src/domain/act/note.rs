//! Marginal notes: numbered, only ever added. A note may change what the extract says (بيان يغير مضمون النسخة الموجزة).

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Bilingual;
use crate::domain::written_date::WrittenDate;

/// What a note tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    Death,
    Marriage,
    Divorce,
    Judgment,
    PrefectoralOrder,
    MinisterialDecree,
    Notice,
}

impl NoteKind {
    pub const ALL: [Self; 7] = [
        Self::Death,
        Self::Marriage,
        Self::Divorce,
        Self::Judgment,
        Self::PrefectoralOrder,
        Self::MinisterialDecree,
        Self::Notice,
    ];

    /// The name in the database, in files and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Death => "death",
            Self::Marriage => "marriage",
            Self::Divorce => "divorce",
            Self::Judgment => "judgment",
            Self::PrefectoralOrder => "prefectoral-order",
            Self::MinisterialDecree => "ministerial-decree",
            Self::Notice => "notice",
        }
    }

    /// Reads [`NoteKind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A value of the extract that a note can replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtractField {
    GivenName,
    FamilyName,
    BirthDate,
    BirthPlace,
    Sex,
    Nationality,
    FatherName,
    MotherName,
}

impl ExtractField {
    pub const ALL: [Self; 8] = [
        Self::GivenName,
        Self::FamilyName,
        Self::BirthDate,
        Self::BirthPlace,
        Self::Sex,
        Self::Nationality,
        Self::FatherName,
        Self::MotherName,
    ];

    /// The name in the database, in files and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::BirthDate => "birth_date",
            Self::BirthPlace => "birth_place",
            Self::Sex => "sex",
            Self::Nationality => "nationality",
            Self::FatherName => "father_name",
            Self::MotherName => "mother_name",
        }
    }

    /// Reads [`ExtractField::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == text)
    }
}

/// A value of the extract that a note replaces. `birth_date` has a date, every other field a text; that of `sex` is `male` or
/// `female` in its Latin half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtractChange {
    pub field: ExtractField,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub text: Bilingual,
    #[serde(default, skip_serializing_if = "WrittenDate::is_empty")]
    pub date: WrittenDate,
}

/// A note as somebody writes it down. Does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteDraft {
    pub date: NaiveDate,
    pub kind: NoteKind,
    pub text: Bilingual,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changes_extract: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ExtractChange>,
}

impl fmt::Debug for NoteDraft {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NoteDraft").finish_non_exhaustive()
    }
}

impl NoteDraft {
    /// It changes the extract without saying what it changes. A death is told by its own line of the extract.
    pub fn leaves_extract_open(&self) -> bool {
        self.changes_extract && self.changes.is_empty() && self.kind != NoteKind::Death
    }
}

/// A note of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub id: Uuid,
    /// 1 is the first.
    pub ordinal: i16,
    pub draft: NoteDraft,
    /// Nobody where it came with an import.
    pub author_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
}
