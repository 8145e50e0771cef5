//! What the register and the sealed files say about a request, for showing it.

use uuid::Uuid;

use crate::domain::register::RegisterEntry;

/// The two kinds of sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SealedFileKind {
    /// The citizen's document with the seal.
    Document,
    /// The separate legalisation page of a document that already carried signatures.
    LegalisationPage,
}

impl SealedFileKind {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Document => "DOCUMENT",
            Self::LegalisationPage => "LEGALISATION_PAGE",
        }
    }

    /// Reads [`SealedFileKind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Document, Self::LegalisationPage]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A stored sealed revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedFileFacts {
    pub kind: SealedFileKind,
    /// 1 is the first sealed revision.
    pub revision: i32,
    pub size_bytes: i64,
    pub sha256: [u8; 32],
}

/// What the standing intent of a request has brought about so far.
#[derive(Debug, Clone, PartialEq)]
pub struct SealFacts {
    pub intent_id: Uuid,
    pub register: RegisterEntry,
    /// Present once sealed.
    pub verification_code: Option<String>,
    /// What the seal waits for, such as `WAITING_FOR_TIME_STAMP`.
    pub progress: Option<&'static str>,
    pub files: Vec<SealedFileFacts>,
}
