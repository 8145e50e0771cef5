//! What a seal puts into a file. The bytes of a prepared file depend on the original and on this alone.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

/// Everything that decides the bytes of one seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealPlan {
    /// The citizen's signature, drawn into the page; only for files without signatures.
    pub mark: Option<Mark>,
    /// A PDF whose pages are added at the end; only for files without signatures.
    pub append_pages: Option<Vec<u8>>,
    /// The signature field.
    pub field: FieldPlacement,
    /// Claimed time of signing, written to `/M` with its offset.
    pub signing_time: DateTime<FixedOffset>,
    /// `/Reason`
    pub reason: Option<String>,
    /// `/Location`
    pub location: Option<String>,
    /// `/Name`
    pub signer_name: Option<String>,
    /// Second element of the file identifier; both if the original has none.
    pub id_seed: [u8; 16],
    /// Bytes reserved for the CMS signature, time-stamp included.
    pub contents_capacity: usize,
}

/// A drawing on a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Page, from 0.
    pub page_index: usize,
    /// Left, bottom, right, top in the page's user space; see [`crate::place`].
    pub rect: [f64; 4],
    /// What is drawn.
    pub appearance: MarkAppearance,
}

/// What is drawn into a rectangle, upright for whoever views the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MarkAppearance {
    /// Lines of a pen. Coordinates are fractions of the rectangle as viewed: x to the right, y down.
    Strokes(Vec<Vec<(f64, f64)>>),
    /// A picture stretched over the rectangle.
    Image(Raster),
}

/// An uncompressed picture, rows from the top, eight bits a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Raster {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Samples of a pixel.
    pub colour: Colour,
    /// `width × height × samples` bytes.
    pub pixels: Vec<u8>,
    /// `width × height` bytes, 0 transparent; PDF/A-1 files forbid it.
    pub alpha: Option<Vec<u8>>,
}

/// Samples of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Colour {
    /// One sample.
    Gray,
    /// Three samples.
    Rgb,
}

/// The signature field of a seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FieldPlacement {
    /// A new field without extent, on the first page.
    Invisible {
        /// Partial name, not yet in use; without full stops.
        name: String,
    },
    /// A new field that is seen.
    Visible {
        /// Partial name, not yet in use; without full stops.
        name: String,
        /// Page, from 0.
        page_index: usize,
        /// Left, bottom, right, top in the page's user space.
        rect: [f64; 4],
        /// What is drawn.
        appearance: MarkAppearance,
    },
    /// An empty signature field that stands in the file already.
    Existing {
        /// Fully qualified name.
        name: String,
        /// Drawn into the field's rectangle, if it has an extent.
        appearance: Option<MarkAppearance>,
    },
}

/// A file with a hole for the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Offset and length of the bytes before, and of those after the hole.
    pub byte_range: [u64; 4],
    /// SHA-256 over the byte range.
    pub digest: [u8; 32],
    /// Offset of the first hexadecimal digit of `/Contents`.
    pub contents_offset: usize,
    /// Number of hexadecimal digits, twice the capacity.
    pub contents_len: usize,
}
