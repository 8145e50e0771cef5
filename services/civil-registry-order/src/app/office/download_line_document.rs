//! The document of a line, prepared or sealed, for the office to print it.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::{Act, audit, entry};
use crate::app::download::Download;
use crate::app::{App, AppError, authorise, download_document};

/// Opens the file; the look is audited.
///
/// # Errors
/// [`AppError`]: `DOCUMENT_NOT_READY`.
pub async fn download_line_document(app: &App, caller: &Caller, line_id: Uuid) -> Result<Download, AppError> {
    authorise::staff(caller)?;
    let entry = entry::of_line(app, caller, line_id).await?;
    {
        let mut conn = app.pool.acquire().await?;
        let act = Act {
            action: "line.read_document",
            details: json!({}),
        };
        audit(&mut conn, app, caller, &entry.line, act).await?;
    }
    let name = download_document::file_name(&entry.view.order, &entry.line);
    let document = entry.line.document.as_ref();
    match document {
        Some(document) if document.sealed => download_document::sealed(app, document, name).await,
        Some(document) if document.object_key.is_some() => {
            let key = document.object_key.as_deref().unwrap_or_default();
            Ok(Download::of_bytes(app.objects.get(key).await?, name))
        }
        _ => Err(download_document::not_ready(line_id)),
    }
}
