//! Writes the incremental update that a signature then closes.

mod appearance;
mod append;
mod field;
mod mark;
mod signature;
mod update;

use thiserror::Error;

use crate::keys;
use crate::pages::{self, Page, TreeFault};
use crate::plan::{FieldPlacement, Prepared, SealPlan};
use crate::syntax::{Document, Fault, ObjectId};
use update::Update;

/// Why a file could not be prepared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PrepareError {
    /// The original cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[from] Fault),
    /// The file to append cannot be read.
    #[error("the pages to append cannot be read")]
    AppendixUnreadable(#[source] Fault),
    /// The page tree of one of the files is not a tree.
    #[error("the page tree is damaged at object {}", .0.number)]
    PageTree(ObjectId),
    /// The plan names a page that is not there.
    #[error("there is no page {0}")]
    NoSuchPage(usize),
    /// A rectangle is empty, not a number, or outside what the page shows.
    #[error("the rectangle does not lie within the page")]
    RectangleOutsidePage,
    /// The content of the page to draw on leaves thousands of graphics states or brackets open, or closes as many too many: what
    /// would have to stand around it is more than a seal may add.
    #[error("the content of the page is not balanced")]
    Unbalanced,
    /// The appearance holds too much, or too little, or is inconsistent.
    #[error("the appearance cannot be drawn")]
    BadAppearance,
    /// The plan names a signature field that is not there or not empty.
    #[error("there is no empty signature field of that name")]
    NoSuchField,
    /// A new field's name is empty, holds a full stop, or is taken.
    #[error("the field name cannot be used")]
    BadFieldName,
    /// The plan changes page content of a file that carries signatures.
    #[error("page content of a signed file cannot change")]
    Signed,
    /// The file is encrypted.
    #[error("the file is encrypted")]
    Encrypted,
    /// The finished file would pass what a ByteRange of ten digits and a cross-reference table can express.
    #[error("the file is too large")]
    TooLarge,
}

impl From<TreeFault> for PrepareError {
    fn from(fault: TreeFault) -> Self {
        match fault {
            TreeFault::Damaged(fault) => Self::Unreadable(fault),
            TreeFault::Cycle(id) | TreeFault::Count(id) | TreeFault::Page(id) => Self::PageTree(id),
        }
    }
}

/// Writes `plan` behind `original` as one incremental update and digests the result.
///
/// The answer depends on its two arguments only: preparing again gives the same bytes.
///
/// # Errors
/// See [`PrepareError`]; nothing here replaces [`crate::intake::inspect`].
pub fn prepare(original: &[u8], plan: &SealPlan) -> Result<Prepared, PrepareError> {
    let document = Document::open(original)?;
    if document.is_encrypted() {
        return Err(PrepareError::Encrypted);
    }
    let changes_pages = plan.mark.is_some() || plan.append_pages.is_some();
    if changes_pages && field::has_signatures(&document)? {
        return Err(PrepareError::Signed);
    }
    let mut update = Update::new(&document);
    if let Some(mark) = &plan.mark {
        mark::draw(&mut update, mark)?;
    }
    if let Some(appendix) = &plan.append_pages {
        append::pages(&mut update, appendix)?;
    }
    let signature = update.reserve();
    let lock = field::place(&mut update, &plan.field, signature)?;
    let hole = signature::write(&mut update, signature, plan, lock.as_deref());
    let written = update.finish(&plan.id_seed)?;
    let start = written.offset_of(signature).ok_or(PrepareError::TooLarge)?;
    close(written.bytes, start, &hole, plan.contents_capacity * 2)
}

/// Fills in the byte range and digests around the hole.
fn close(
    mut bytes: Vec<u8>,
    object: usize,
    hole: &signature::Hole,
    contents_len: usize,
) -> Result<Prepared, PrepareError> {
    let contents_offset = object + hole.contents;
    let before = contents_offset - 1;
    let after = contents_offset + contents_len + 1;
    let byte_range = [0, before as u64, after as u64, (bytes.len() - after) as u64];
    let written = signature::byte_range(&byte_range).ok_or(PrepareError::TooLarge)?;
    let at = object + hole.byte_range;
    bytes[at..at + written.len()].copy_from_slice(&written);
    let digest = keys::sha256(&[&bytes[..before], &bytes[after..]]);
    Ok(Prepared {
        byte_range,
        digest,
        contents_offset,
        contents_len,
        bytes,
    })
}

/// A page and what it shows, for drawing on it.
struct Target<'d> {
    page: Page<'d>,
    visible: [f64; 4],
    rotation: u16,
}

impl<'d> Target<'d> {
    fn find(document: &'d Document<'_>, index: usize) -> Result<Self, PrepareError> {
        let page = pages::nth(document, index)?.ok_or(PrepareError::NoSuchPage(index))?;
        let visible = crate::place::visible_box(document, &page)?;
        let rotation = page.rotation(document)?;
        Ok(Self {
            page,
            visible,
            rotation,
        })
    }

    fn check(&self, rect: &[f64; 4]) -> Result<(), PrepareError> {
        if crate::place::contains(&self.visible, rect) {
            Ok(())
        } else {
            Err(PrepareError::RectangleOutsidePage)
        }
    }
}

/// The names a plan gives its field.
fn field_name(field: &FieldPlacement) -> &str {
    match field {
        FieldPlacement::Invisible { name }
        | FieldPlacement::Visible { name, .. }
        | FieldPlacement::Existing { name, .. } => name,
    }
}
