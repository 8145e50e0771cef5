//! A document of the caller's.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::document::Document;
use crate::store::documents;

/// Shows a document to its owner.
///
/// # Errors
/// [`AppError::NotFound`] for anybody else.
pub async fn get_document(app: &App, caller: &Caller, document_id: Uuid) -> Result<Document, AppError> {
    authorise::citizen(caller)?;
    own(app, caller, document_id).await
}

/// The document, if it is the caller's.
pub(super) async fn own(app: &App, caller: &Caller, document_id: Uuid) -> Result<Document, AppError> {
    let mut conn = app.pool.acquire().await?;
    documents::find(&mut conn, document_id)
        .await?
        .filter(|document| document.owner_id == caller.person_id)
        .ok_or(AppError::NotFound {
            resource: "document",
            id: document_id,
        })
}

/// Where the document's bytes are.
pub(super) fn object_key(document: &Document) -> Result<&str, AppError> {
    document.object_key.as_deref().ok_or_else(|| {
        AppError::refused(
            "DOCUMENT_REFUSED",
            document.id,
            "the document was refused at intake and is not kept",
        )
    })
}
