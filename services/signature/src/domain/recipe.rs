//! What the bytes of a sealed file depend on, besides the original: frozen with the intent, so that preparing again gives
//! the same bytes and therefore the same digest.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

/// Bytes kept free for the CMS signature with its certificates and time-stamp.
pub const CONTENTS_CAPACITY: usize = 24 * 1024;

/// A rectangle on a page as displayed: points from the top left corner, y down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ViewRectangle {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// The citizen's strokes and where they stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrawnMark {
    /// 0 is the first page.
    pub page_index: u32,
    pub rectangle: ViewRectangle,
    /// Fractions of the rectangle, origin top left, y down.
    pub strokes: Vec<Vec<[f32; 2]>>,
}

/// The signature field of the seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "field", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Field {
    /// A new field without appearance.
    Invisible { name: String },
    /// A new field whose appearance is the citizen's signature.
    Visible { name: String, mark: DrawnMark },
    /// An empty field of the document; the citizen's signature, if drawn, is its appearance.
    Existing {
        name: String,
        strokes: Option<Vec<Vec<[f32; 2]>>>,
    },
}

/// The legalisation page. Does not print: it names people.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Version of the template: the beginning of the SHA-256 of its source.
    pub template: String,
    /// What the template prints; its shape stands at the head of the template.
    pub data: serde_json::Value,
    /// What the QR says: the address of the verification page for this code.
    pub qr_text: String,
    pub created_at: DateTime<Utc>,
    /// Names the page; decides its file identifier.
    pub identifier: String,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Page")
            .field("identifier", &self.identifier)
            .finish_non_exhaustive()
    }
}

/// Everything that decides the bytes of one sealed file. Does not print: it names people.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Drawn into the document's content; only where it carries no signature yet.
    pub mark: Option<DrawnMark>,
    /// Appended to the document, or the document itself.
    pub page: Option<Page>,
    pub field: Field,
    /// `/M`, with the offset of Africa/Casablanca at that time.
    pub signing_time: DateTime<FixedOffset>,
    pub reason: String,
    pub location: String,
    pub signer_name: String,
    /// Decides the second element of `/ID`.
    pub id_seed: [u8; 16],
    pub contents_capacity: usize,
}

impl std::fmt::Debug for Recipe {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Recipe")
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}
