//! A strict reader of PDF file structure (ISO 32000-1, clause 7).
//!
//! It repairs nothing: a file whose cross-reference data and objects disagree is an error that names the
//! object. It keeps the bytes each value was read from, so that a value nobody changed is written again
//! exactly as it was, and it reads an object only when asked for it.

mod document;
mod fault;
mod filters;
mod lexer;
mod object_stream;
mod parser;
mod predictor;
mod value;
mod xref;

pub use document::{Document, Loaded};
pub use fault::{Fault, FaultKind};
pub use filters::{decode_stream, decoded_length};
pub use lexer::{Lexer, Token, TokenKind};
pub use parser::parse_value;
pub use value::{Dictionary, Kind, ObjectId, Value};
pub use xref::{Entry, SectionStyle};

/// Deepest nesting of arrays and dictionaries, of page and field trees, and longest chain of indirect references.
pub const MAX_NESTING: usize = 100;

/// Highest object number that readers accept (ISO 32000-1, annex C).
pub const MAX_OBJECT_NUMBER: u32 = 8_388_607;

/// Largest number of entries a cross-reference may hold; a file of 20 MiB stays well below it.
pub const MAX_OBJECTS: usize = 1_000_000;
