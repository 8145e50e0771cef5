//! Jobs and answers as they cross the pipe.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::verdict::FileVerdict;
use crate::domain::document::{Inspection, IntakeRefusal};
use crate::domain::recipe::Recipe;

pub use crate::domain::recipe::ViewRectangle;

/// The citizen's strokes as they will stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    pub rectangle: ViewRectangle,
    /// Fractions of the rectangle, origin top left, y down.
    pub strokes: Vec<Vec<[f32; 2]>>,
}

/// Renders a page or a region of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RenderJob {
    /// 0 is the first page.
    pub page_index: u32,
    /// Absent renders the whole page.
    pub region: Option<ViewRectangle>,
    /// Width of the picture.
    pub width_pixels: u32,
    /// Drawn into the page before rendering, exactly as sealing will draw it. Only for files without signatures.
    pub overlay: Option<Overlay>,
}

/// Verifies the signatures of a file against trust material that follows as blobs: anchors, then CRLs, then OCSP
/// responses, all DER.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerifyJob {
    pub at: DateTime<Utc>,
    /// How long revocation data without `nextUpdate` count.
    pub max_age_seconds: i64,
    pub anchors: usize,
    pub crls: usize,
    pub ocsp_responses: usize,
}

/// One thing to do. The file is the first blob, except for [`Job::PreparePage`], which has none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Job {
    Inspect,
    Render(RenderJob),
    /// Draws, appends and adds the signature field as the recipe says. Answers with the prepared file as blob.
    Prepare(Box<Recipe>),
    /// Makes the legalisation page as a document of its own, with a signature field. Answers with it as blob.
    PreparePage(Box<Recipe>),
    Verify(VerifyJob),
    /// Applies the rules of intake to a file of another service and prepares it. Answers with the prepared file as blob.
    Deposit(Box<Recipe>),
}

/// A file with a hole for its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedFile {
    /// Offset and length of the bytes before the hole, then of those after it (ISO 32000-2, 12.8.1).
    pub byte_range: [u64; 4],
    /// SHA-256 over the byte range: what the officer confirms.
    pub digest: [u8; 32],
    /// Offset of the first hexadecimal digit of `/Contents`.
    pub contents_offset: usize,
    /// Number of hexadecimal digits.
    pub contents_len: usize,
}

/// What a worker answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Answer {
    Inspected(Inspection),
    /// The picture is the blob.
    Rendered,
    /// The file is the blob.
    Prepared(PreparedFile),
    Verified(FileVerdict),
    Refused(IntakeRefusal),
    OutOfRange,
    Impossible(String),
    /// The job panicked; the place in our code, nothing of the file.
    Panicked(String),
}
