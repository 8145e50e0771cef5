//! The bytes of the caller's document.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise, get_document};
use crate::domain::document::Document;
use crate::storage::Reader;

/// Reads a document from `offset`, `length` bytes or to its end.
///
/// # Errors
/// [`AppError`]: `DOCUMENT_REFUSED`, of which nothing is kept.
pub async fn download_document(
    app: &App,
    caller: &Caller,
    document_id: Uuid,
    offset: u64,
    length: Option<u64>,
) -> Result<(Document, Reader), AppError> {
    authorise::citizen(caller)?;
    let document = get_document::own(app, caller, document_id).await?;
    let key = get_document::object_key(&document)?;
    let reader = app.objects.read(key, offset, length).await?;
    Ok((document, reader))
}
