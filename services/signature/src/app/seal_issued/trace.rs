//! What an act leaves on record, whether the key signs or not.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::audit::{self, AuditEntry};

use super::items::{Batch, Item};
use crate::app::{App, AppError, write};
use crate::clients::identity::{ConfirmationRecord, Office};
use crate::domain::credential::Credential;
use crate::store::issued_documents::{self, Act};

/// Writes down, before the key is touched, who confirmed what.
pub(super) async fn authorise(
    app: &App,
    caller: &Caller,
    batch: &Batch,
    credential: &Credential,
    office: &Office,
    record: &ConfirmationRecord,
) -> Result<(), AppError> {
    let now = app.ambient.now();
    let act = Act {
        confirmation_id: record.confirmation_id,
        office_id: batch.office_id,
        office_name_ar: &office.name_ar,
        office_name_fr: &office.name_fr,
        officer_id: caller.person_id,
        method: &record.method,
        confirmed_at: record.confirmed_at,
        jws: &record.jws,
        digests: batch.digests.clone(),
    };
    let mut transaction = app.pool.begin().await?;
    issued_documents::add_act(&mut transaction, &act, now).await?;
    let details = json!({
        "office_id": batch.office_id,
        "credential_id": credential.id,
        "documents": ids(&batch.items),
    });
    audit_act(app, &mut transaction, caller, act.confirmation_id, None, details).await?;
    transaction.commit().await?;
    Ok(())
}

fn ids(items: &[Item]) -> Vec<Uuid> {
    items.iter().map(|item| item.id).collect()
}

/// A key that did not sign leaves its trace.
pub(super) async fn refused_by_key(
    app: &App,
    caller: &Caller,
    confirmation_id: Uuid,
    items: &[Item],
    error: AppError,
) -> Result<(), AppError> {
    let reason = match &error {
        AppError::Refused { reason, .. } => *reason,
        _ => "KEY_UNAVAILABLE",
    };
    let mut transaction = app.pool.begin().await?;
    let details = json!({ "documents": ids(items) });
    audit_act(
        app,
        &mut transaction,
        caller,
        confirmation_id,
        Some(reason),
        details,
    )
    .await?;
    transaction.commit().await?;
    Ok(())
}

async fn audit_act(
    app: &App,
    conn: &mut sqlx::PgConnection,
    caller: &Caller,
    confirmation_id: Uuid,
    refusal: Option<&str>,
    details: serde_json::Value,
) -> Result<(), AppError> {
    let entry = AuditEntry {
        person_id: Some(caller.person_id),
        principal: &write::principal(caller),
        action: super::ACTION,
        aggregate: "issued_act",
        aggregate_id: confirmation_id,
        outcome: if refusal.is_some() { "refused" } else { "done" },
        reason: refusal,
        details,
    };
    audit::record(conn, &app.ambient, entry).await?;
    Ok(())
}
