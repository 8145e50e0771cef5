//! An act as first drawn up and its marginal notes. The original is never edited; what changes stands in notes.

pub mod check;
pub mod flat;
pub mod note;

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::act_key::{ActKey, RegisterKind};
use crate::domain::extract::KnownAs;
use crate::domain::written_date::WrittenDate;

pub use check::Fault;
pub use note::{ExtractChange, ExtractField, Note, NoteDraft, NoteKind};

/// How an act came into the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Declaration,
    /// Of a declaration received by another office.
    Transcription,
    TransferredJudgment,
    DeclaratoryJudgment,
}

/// Sex as written in the act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    Male,
    Female,
}

/// A text in both scripts, as written in the act; one of them may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bilingual {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub arabic: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub latin: String,
}

impl Bilingual {
    /// Both scripts.
    pub fn new(arabic: impl Into<String>, latin: impl Into<String>) -> Self {
        Self {
            arabic: arabic.into(),
            latin: latin.into(),
        }
    }

    /// Whether the act says nothing of it.
    pub fn is_empty(&self) -> bool {
        self.arabic.is_empty() && self.latin.is_empty()
    }
}

/// A parent as written in the act.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parent {
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub given_name: Bilingual,
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub family_name: Bilingual,
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub nationality: Bilingual,
    #[serde(skip_serializing_if = "WrittenDate::is_empty")]
    pub birth_date: WrittenDate,
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub birth_place: Bilingual,
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub profession: Bilingual,
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub address: Bilingual,
}

impl Parent {
    /// Whether the act says nothing of this parent.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Who declared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Declarant {
    pub name: Bilingual,
    /// To the person of the act.
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub relationship: Bilingual,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u8>,
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub profession: Bilingual,
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub nationality: Bilingual,
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub address: Bilingual,
}

/// A judgment that stands for the declaration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Judgment {
    pub reference: String,
    #[serde(skip_serializing_if = "WrittenDate::is_empty")]
    pub date: WrittenDate,
    #[serde(skip_serializing_if = "Bilingual::is_empty")]
    pub court: Bilingual,
}

/// What an act says, as first drawn up (decree 2-99-665, art. 18). Does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActContent {
    pub origin: Origin,
    /// As written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hijri_year: Option<i16>,
    pub given_name: Bilingual,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub family_name: Bilingual,
    pub sex: Sex,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub nationality: Bilingual,
    #[serde(default, skip_serializing_if = "WrittenDate::is_empty")]
    pub birth_date: WrittenDate,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub birth_place: Bilingual,
    /// 0 to 23.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<u8>,
    /// 0 to 59.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minute: Option<u8>,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub time_in_letters: Bilingual,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub twin: bool,
    #[serde(default, skip_serializing_if = "Parent::is_empty")]
    pub father: Parent,
    #[serde(default, skip_serializing_if = "Parent::is_empty")]
    pub mother: Parent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declarant: Option<Declarant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgment: Option<Judgment>,
    #[serde(default, skip_serializing_if = "WrittenDate::is_empty")]
    pub drawn_up: WrittenDate,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub officer: Bilingual,
    /// The officer signed with the declarant, not alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub signed_with_declarant: bool,
    /// Office and number of the act that this one transcribes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transcribed_from: String,
    /// Death acts only, like all that follows.
    #[serde(default, skip_serializing_if = "WrittenDate::is_empty")]
    pub death_date: WrittenDate,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub death_place: Bilingual,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub profession: Bilingual,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub address: Bilingual,
    #[serde(default, skip_serializing_if = "Bilingual::is_empty")]
    pub marital_state: Bilingual,
}

impl fmt::Debug for ActContent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ActContent").finish_non_exhaustive()
    }
}

/// An act as somebody writes it down: in a file, or at a keyboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Code or id of the office of registration.
    pub office: String,
    pub kind: RegisterKind,
    pub year: i32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    pub number: String,
    pub content: Box<ActContent>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteDraft>,
}

/// An act whose key and content hold together; made by [`check::entry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    key: ActKey,
    content: Box<ActContent>,
    notes: Vec<NoteDraft>,
}

impl Entry {
    /// An entry as it was stored; it was checked then.
    pub fn restored(key: ActKey, content: Box<ActContent>, notes: Vec<NoteDraft>) -> Self {
        Self { key, content, notes }
    }

    pub fn key(&self) -> &ActKey {
        &self.key
    }

    pub fn content(&self) -> &ActContent {
        &self.content
    }

    pub fn notes(&self) -> &[NoteDraft] {
        &self.notes
    }
}

/// How an act came into the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Import,
    Keyed,
}

impl Source {
    /// The name in the database and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Keyed => "keyed",
        }
    }

    /// Reads [`Source::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Import, Self::Keyed]
            .into_iter()
            .find(|source| source.as_str() == text)
    }
}

/// A digitised act: the original and its notes, first to last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub id: Uuid,
    pub key: ActKey,
    pub content: ActContent,
    pub notes: Vec<Note>,
    pub source: Source,
    pub has_scan: bool,
    pub created_at: DateTime<Utc>,
}

impl Act {
    /// What the person goes by since a note changed name or birth date; nothing where none does.
    pub fn known_as_now(&self) -> Option<KnownAs> {
        KnownAs::by_notes(&self.content, self.notes.iter().map(|note| &note.draft))
    }

    /// All that the person is known as: first what the act was drawn up with.
    pub fn known_as(&self) -> impl Iterator<Item = KnownAs> {
        std::iter::once(KnownAs::at_first(&self.content)).chain(self.known_as_now())
    }
}
