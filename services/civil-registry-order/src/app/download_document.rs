//! The sealed document of a line, for who placed the order.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::download::Download;
use crate::app::{App, AppError, authorise};
use crate::domain::order::Order;
use crate::domain::order::line::{Document, Line};
use crate::store::orders;

/// Opens the sealed file.
///
/// # Errors
/// [`AppError`]: `DOCUMENT_NOT_READY` where there is none.
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
    match line.document.as_ref().filter(|document| document.sealed) {
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
