//! The sealed document of a line, for who placed the order.

use uuid::Uuid;
use wathiq_chassis::{Caller, Surface};

use crate::app::download::Download;
use crate::app::{App, AppError, authorise};
use crate::domain::order::Order;
use crate::domain::order::line::{Document, Line};
use crate::store::orders;

/// Opens the sealed file, for an account with a proved identity and a relation that is known; everybody else gets the paper, by post.
///
/// # Errors
/// [`AppError`]: `DOCUMENT_NOT_READY` where there is none, `DOCUMENT_BY_POST`, `DOCUMENT_NOT_GIVEN`.
pub async fn download_document(
    app: &App,
    caller: &Caller,
    order_id: Uuid,
    line_id: Uuid,
) -> Result<Download, AppError> {
    authorise::orderer(caller)?;
    let order = {
        let mut conn = app.pool.acquire().await?;
        orders::get(&mut conn, order_id).await?
    };
    let order = order.filter(|order| order.person_id == caller.person_id);
    let order = order.ok_or_else(|| AppError::not_found("order", order_id))?;
    let line = order
        .line(line_id)
        .ok_or_else(|| AppError::not_found("order_line", line_id))?;
    let proved = caller.surface == Surface::Citizen && order.applicant.proved;
    match line.document.as_ref().filter(|document| document.sealed) {
        _ if line.has_ended() => Err(AppError::refused(
            "DOCUMENT_NOT_GIVEN",
            line_id,
            "the money of this document was given back: it is not handed out any more",
        )),
        Some(_) if !proved || !line.is_entitled() => Err(AppError::refused(
            "DOCUMENT_BY_POST",
            line_id,
            "the document goes by post, against an identity document: only an account with a proved identity downloads it",
        )),
        Some(document) => sealed(app, document, file_name(&order, line)).await,
        None => Err(not_ready(line_id)),
    }
}

/// The sealed file of a document.
///
/// # Errors
/// [`AppError`].
pub async fn sealed(app: &App, document: &Document, name: String) -> Result<Download, AppError> {
    let id = document.issued_document_id.unwrap_or_default();
    Ok(Download::of_sealed(app.signature.download(id).await?, name))
}

/// The name of a line's document.
pub fn file_name(order: &Order, line: &Line) -> String {
    format!("{}-{}.pdf", line.document_kind, order.line_reference(line))
}

/// There is no file yet.
pub fn not_ready(line_id: Uuid) -> AppError {
    AppError::refused(
        "DOCUMENT_NOT_READY",
        line_id,
        "the document is not ready, or is made on paper",
    )
}
