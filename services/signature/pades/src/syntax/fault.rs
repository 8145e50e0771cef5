use thiserror::Error;

use super::ObjectId;

/// Why a file, or one object of it, could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}{}", location(.object, .at))]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The indirect object at fault, where one is known.
    pub object: Option<ObjectId>,
    /// Offset in bytes where reading stopped, in the file or in the object stream that was read.
    pub at: usize,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum FaultKind {
    /// There is no `%PDF-` header where the file begins.
    #[error("the file does not begin with a pdf header")]
    NotAPdf,
    /// There is no `startxref` near the end, or it points behind the end.
    #[error("the end of the file is missing")]
    Truncated,
    /// A cross-reference section cannot be read.
    #[error("the cross-reference is damaged")]
    CrossReference,
    /// The sections of the cross-reference lead back to one already read.
    #[error("the cross-reference sections form a loop")]
    CrossReferenceLoop,
    /// An object cannot be read or is not where the cross-reference says.
    #[error("an object is damaged")]
    Object,
    /// Encoded data of a stream cannot be decoded.
    #[error("the data of a stream cannot be decoded")]
    StreamData,
    /// A stream names a filter that is unknown or not usable here.
    #[error("a stream uses an unknown filter")]
    UnknownFilter,
    /// Values are nested deeper than [`super::MAX_NESTING`].
    #[error("values are nested too deep")]
    NestedTooDeep,
    /// Decoded data grew over the given limit.
    #[error("decoded data exceeds the limit")]
    TooLarge,
    /// There are more than [`super::MAX_OBJECTS`] objects.
    #[error("there are too many objects")]
    TooManyObjects,
    /// Reading this file asks for far more work than its size justifies.
    #[error("reading the file needs too much work")]
    TooComplex,
    /// A dictionary names one key twice.
    #[error("a dictionary names a key twice")]
    DuplicateKey,
}

impl Fault {
    /// A fault at a byte offset, in no known object.
    pub fn new(kind: FaultKind, at: usize) -> Self {
        Self {
            kind,
            object: None,
            at,
        }
    }

    /// Names the object, unless an inner one has been named already.
    #[must_use]
    pub fn in_object(mut self, id: ObjectId) -> Self {
        self.object.get_or_insert(id);
        self
    }
}

fn location(object: &Option<ObjectId>, at: &usize) -> String {
    match object {
        Some(id) => format!(" (object {} {}, offset {at})", id.number, id.generation),
        None => format!(" (offset {at})"),
    }
}
