//! A piece of evidence, for the office that works on the line.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::{Act, audit, entry};
use crate::app::download::Download;
use crate::app::{App, AppError, authorise};
use crate::store::evidence;

/// Opens the file; the look is audited.
///
/// # Errors
/// [`AppError`].
pub async fn download_evidence(
    app: &App,
    caller: &Caller,
    line_id: Uuid,
    evidence_id: Uuid,
) -> Result<Download, AppError> {
    authorise::staff(caller)?;
    let entry = entry::of_line(app, caller, line_id).await?;
    let unknown = || AppError::not_found("evidence", evidence_id);
    if !entry.line.evidence_ids.contains(&evidence_id) {
        return Err(unknown());
    }
    let mut conn = app.pool.acquire().await?;
    let file = evidence::get(&mut conn, &[evidence_id])
        .await?
        .pop()
        .ok_or_else(unknown)?;
    let act = Act {
        action: "evidence.read",
        details: json!({ "evidence_id": evidence_id }),
    };
    audit(&mut conn, app, caller, &entry.line, act).await?;
    drop(conn);
    Download::of_object(
        app,
        &file.object_key,
        file.sha256,
        file.file_name,
        file.content_type,
    )
    .await
}
