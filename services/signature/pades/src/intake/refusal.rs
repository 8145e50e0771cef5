use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::pages::TreeFault;
use crate::syntax::{Fault, FaultKind, ObjectId};

/// Why a file does not enter. The codes are part of the public interface and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The file does not begin with a PDF header.
    NotAPdf,
    /// The end of the file is missing.
    Truncated,
    /// The cross-reference cannot be read.
    DamagedCrossReference,
    /// An object cannot be read, or is not where the cross-reference says.
    DamagedObject,
    /// The data of a stream cannot be decoded.
    DamagedStream,
    /// The cross-reference sections form a loop.
    CrossReferenceLoop,
    /// A node of the page tree is reached twice.
    PageTreeCycle,
    /// A count in the page tree is false.
    PageCountMismatch,
    /// There is no page.
    NoPages,
    /// There are more pages than allowed.
    TooManyPages,
    /// There are more objects than allowed.
    TooManyObjects,
    /// All streams together decode to more than allowed.
    TooLargeDecoded,
    /// Reading the file takes far more work than its size justifies.
    TooComplex,
    /// Values or trees are nested too deep.
    NestedTooDeep,
    /// A dictionary names a key twice, which readers resolve differently.
    DuplicateKey,
    /// The file is encrypted.
    Encrypted,
    /// The file holds scripts.
    Script,
    /// The file starts programs.
    LaunchAction,
    /// The file holds an action that runs by itself, reaches outside the document or changes it.
    ActiveAction,
    /// The file carries other files.
    EmbeddedFile,
    /// The file holds an XFA form.
    Xfa,
    /// The file holds sound, film, three-dimensional or other rich media.
    RichMedia,
    /// The file takes content from other files or places.
    ExternalContent,
    /// The file holds PostScript.
    Postscript,
    /// A signature in the file forbids ours.
    LockedBySignature,
}

impl Reason {
    /// The stable code, such as `NOT_A_PDF`.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAPdf => "NOT_A_PDF",
            Self::Truncated => "TRUNCATED",
            Self::DamagedCrossReference => "DAMAGED_CROSS_REFERENCE",
            Self::DamagedObject => "DAMAGED_OBJECT",
            Self::DamagedStream => "DAMAGED_STREAM",
            Self::CrossReferenceLoop => "CROSS_REFERENCE_LOOP",
            Self::PageTreeCycle => "PAGE_TREE_CYCLE",
            Self::PageCountMismatch => "PAGE_COUNT_MISMATCH",
            Self::NoPages => "NO_PAGES",
            Self::TooManyPages => "TOO_MANY_PAGES",
            Self::TooManyObjects => "TOO_MANY_OBJECTS",
            Self::TooLargeDecoded => "TOO_LARGE_DECODED",
            Self::TooComplex => "TOO_COMPLEX",
            Self::NestedTooDeep => "NESTED_TOO_DEEP",
            Self::DuplicateKey => "DUPLICATE_KEY",
            Self::Encrypted => "ENCRYPTED",
            Self::Script => "SCRIPT",
            Self::LaunchAction => "LAUNCH_ACTION",
            Self::ActiveAction => "ACTIVE_ACTION",
            Self::EmbeddedFile => "EMBEDDED_FILE",
            Self::Xfa => "XFA",
            Self::RichMedia => "RICH_MEDIA",
            Self::ExternalContent => "EXTERNAL_CONTENT",
            Self::Postscript => "POSTSCRIPT",
            Self::LockedBySignature => "LOCKED_BY_SIGNATURE",
        }
    }
}

/// A refusal with what a message needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[error("the file is refused: {}", .reason.code())]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Number of the object at fault, where one is known.
    pub object: Option<u32>,
    /// Further facts by name: `limit`, `offset`, `action`, `subtype`, `field`, `lock`, `key`, `reference`.
    pub data: BTreeMap<String, String>,
}

impl Refusal {
    pub(crate) fn new(reason: Reason) -> Self {
        Self {
            reason,
            object: None,
            data: BTreeMap::new(),
        }
    }

    pub(crate) fn at(mut self, id: ObjectId) -> Self {
        self.object = Some(id.number);
        self
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.data.insert(name.to_owned(), value.to_string());
        self
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let reason = match fault.kind {
            FaultKind::NotAPdf => Reason::NotAPdf,
            FaultKind::Truncated => Reason::Truncated,
            FaultKind::CrossReference => Reason::DamagedCrossReference,
            FaultKind::CrossReferenceLoop => Reason::CrossReferenceLoop,
            FaultKind::Object => Reason::DamagedObject,
            FaultKind::StreamData | FaultKind::UnknownFilter => Reason::DamagedStream,
            FaultKind::NestedTooDeep => Reason::NestedTooDeep,
            FaultKind::TooLarge => Reason::TooLargeDecoded,
            FaultKind::TooManyObjects => Reason::TooManyObjects,
            FaultKind::TooComplex => Reason::TooComplex,
            FaultKind::DuplicateKey => Reason::DuplicateKey,
        };
        let refusal = Self::new(reason).with("offset", fault.at);
        match fault.object {
            Some(id) => refusal.at(id),
            None => refusal,
        }
    }
}

impl From<TreeFault> for Refusal {
    fn from(fault: TreeFault) -> Self {
        match fault {
            TreeFault::Damaged(fault) => fault.into(),
            TreeFault::Cycle(id) => Self::new(Reason::PageTreeCycle).at(id),
            TreeFault::Count(id) => Self::new(Reason::PageCountMismatch).at(id),
            TreeFault::Page(id) => Self::new(Reason::DamagedObject).at(id),
        }
    }
}
