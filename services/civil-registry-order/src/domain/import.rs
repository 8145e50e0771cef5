//! A bulk load of acts and where it stands. What it says is committed with the acts it speaks of.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// RFC 4180, with commas or semicolons.
    Csv,
}

impl Format {
    /// The name in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// Reads [`Format::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::JsonLines, Self::Csv]
            .into_iter()
            .find(|format| format.as_str() == text)
    }
}

/// Whether there is more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Under way, or cut off: the lock tells which.
    Running,
    /// Stopped on request.
    Paused,
    Finished,
}

impl State {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Finished => "FINISHED",
        }
    }

    /// Reads [`State::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Paused, Self::Finished]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Bytes of the file that are done.
    pub byte_offset: u64,
    /// Lines in these bytes.
    pub lines: u64,
    /// SHA-256 of these bytes.
    pub prefix_sha256: [u8; 32],
    /// Acts that were taken.
    pub taken: u64,
    /// Rows that were not.
    pub refused: u64,
    /// Of these, acts that were there already.
    pub duplicates: u64,
    /// Bytes of the report about them.
    pub report_bytes: u64,
    /// SHA-256 of these.
    pub report_sha256: [u8; 32],
}

/// A bulk load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub id: Uuid,
    /// Sequence of its last event; 0 without one.
    pub version: i64,
    pub state: State,
    pub format: Format,
    /// SHA-256 of the beginning of the file.
    pub head_sha256: [u8; 32],
    pub position: Position,
    pub created_at: DateTime<Utc>,
}
