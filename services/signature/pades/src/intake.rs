//! Decides whether a file may enter: a plain, unencrypted PDF without active content whose structure has one
//! reading only. Verification does not ask this.

mod actions;
mod policy;
mod refusal;
mod scan;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::fields::Form;
use crate::pages::{self, Page};
use crate::place::{PageInfo, visible_box};
use crate::syntax::{Document, Value};

pub use policy::{ExistingSignature, Lock, SealPolicy};
pub use refusal::{Reason, Refusal};

/// Bounds of what is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most pages.
    pub max_pages: usize,
    /// Most bytes that all streams together may decode to.
    pub max_decoded: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pages: 2000,
            max_decoded: 256 * 1024 * 1024,
        }
    }
}

/// What is known of a file that was taken in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intake {
    /// Major and minor version of the header.
    pub version: (u8, u8),
    /// The pages in order.
    pub pages: Vec<PageInfo>,
    /// Number of objects in use.
    pub object_count: usize,
    /// The signatures that stand in the file, in the order of the form.
    pub signatures: Vec<ExistingSignature>,
    /// Names of signature fields that wait for a signature.
    pub empty_signature_fields: Vec<String>,
    /// How a seal may be added.
    pub policy: SealPolicy,
}

/// Most bytes in front of the header that readers step over.
const LEADING: usize = 1024;

/// Sides of a page as shown, in points: from the least that a page may have (ISO 32000-1, annex C.2) to more than any
/// paper has. Nobody could put a signature on another page.
const SIDES: Range<f64> = 3.0..1_000_000.0;

/// Number of bytes that something put in front of the header: a byte order mark, line ends, the headers of a download. 0
/// where there are none, or no header follows within 1024 bytes.
///
/// Readers step over them and count offsets from the header (PDF Reference 1.7, appendix H, note 13). [`inspect`] does
/// not, because a seal behind them would be read in two ways: whoever takes such files in leaves these bytes out first,
/// here and in every later step.
pub fn leading_junk(bytes: &[u8]) -> usize {
    let header = b"%PDF-";
    let window = &bytes[..bytes.len().min(LEADING + header.len())];
    window
        .windows(header.len())
        .position(|run| run == header)
        .unwrap_or(0)
}

/// Reads a whole file and refuses it with the first reason found.
///
/// # Errors
/// A [`Refusal`] with its reason, the object at fault where there is one, and data for a message.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Intake, Refusal> {
    let document = Document::open(bytes)?;
    if document.is_encrypted() {
        return Err(Refusal::new(Reason::Encrypted));
    }
    // The tree first: its bounds are cheap to check and keep the scan in proportion.
    let pages = page_list(&document, limits)?;
    let object_count = scan::all_objects(&document, limits)?;
    scan::catalogue(&document)?;
    let form = Form::read(&document)?;
    let (signatures, policy) = policy::of(&document, &form)?;
    if !signatures.is_empty() {
        scan::unambiguous(&document.catalogue()?)?;
    }
    Ok(Intake {
        version: document.version(),
        pages,
        object_count,
        signatures,
        empty_signature_fields: form.empty().map(|field| field.name.clone()).collect(),
        policy,
    })
}

fn page_list(document: &Document<'_>, limits: &Limits) -> Result<Vec<PageInfo>, Refusal> {
    let mut list = Vec::new();
    pages::walk::<Refusal>(document, &mut |page| {
        if list.len() == limits.max_pages {
            return Err(Refusal::new(Reason::TooManyPages).with("limit", limits.max_pages));
        }
        list.push(page_info(document, &page)?);
        Ok(())
    })?;
    if list.is_empty() {
        return Err(Refusal::new(Reason::NoPages));
    }
    Ok(list)
}

fn page_info<'d>(document: &'d Document<'_>, page: &Page<'d>) -> Result<PageInfo, Refusal> {
    let crop_box = visible_box(document, page)?;
    let media_box = page.boundary(document, b"MediaBox")?.unwrap_or(crop_box);
    let user_unit = document
        .get(&page.dictionary, b"UserUnit")?
        .as_ref()
        .and_then(Value::number)
        .unwrap_or(1.0);
    let annotations = document.get(&page.dictionary, b"Annots")?;
    if user_unit <= 0.0 || annotations.is_some_and(|list| list.array().is_none()) {
        return Err(Refusal::new(Reason::DamagedObject).at(page.id));
    }
    page.contents(document)?;
    let info = PageInfo {
        media_box,
        crop_box,
        rotate: page.rotation(document)?,
        user_unit,
    };
    let (width, height) = info.shown_size();
    if SIDES.contains(&width) && SIDES.contains(&height) {
        Ok(info)
    } else {
        Err(Refusal::new(Reason::DamagedObject).at(page.id))
    }
}
