//! Tells that a credential's certificate has expired or was revoked, once each.

use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::{App, AppError};
use crate::events::records;
use crate::store::credential_ends;

/// Credentials noted in one transaction.
const BATCH: i64 = 100;

/// Notes what has come to its end and returns how much.
///
/// # Errors
/// [`AppError`]; what was not noted is noted the next time.
pub async fn end_credentials(app: &App) -> Result<usize, AppError> {
    let mut transaction = app.pool.begin().await?;
    let ended = credential_ends::note(&mut transaction, app.ambient.now(), BATCH).await?;
    for end in &ended {
        wathiq_outbox::append(&mut transaction, &app.ambient, records::ended(end)).await?;
        let entry = AuditEntry {
            person_id: None,
            principal: "service:signature",
            action: "credential.end",
            aggregate: "signing_credential",
            aggregate_id: end.credential_id,
            outcome: "done",
            reason: Some(end.reason.as_str()),
            details: serde_json::json!({ "ended_at": end.ended_at }),
        };
        audit::record(&mut transaction, &app.ambient, entry).await?;
    }
    transaction.commit().await?;
    Ok(ended.len())
}
