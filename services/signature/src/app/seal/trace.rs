//! What an act leaves on record, whether the key signs or not.

use serde_json::json;
use wathiq_chassis::Caller;
use wathiq_outbox::audit::{self, AuditEntry};

use super::items::Item;
use crate::app::{App, AppError, write};
use crate::clients::identity::ConfirmationRecord;
use crate::store::intents;

/// Writes down, before the key is touched, who confirmed what.
pub(super) async fn authorise_items(
    app: &App,
    caller: &Caller,
    items: &[Item],
    record: &ConfirmationRecord,
) -> Result<(), AppError> {
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    for item in items {
        let authorisation = intents::Authorisation {
            intent_id: item.intent_id,
            kind: item.kind,
            confirmation_id: record.confirmation_id,
            method: &record.method,
            confirmed_at: record.confirmed_at,
            jws: &record.jws,
            digest: &item.digest,
        };
        intents::authorise(&mut transaction, &authorisation, now).await?;
        audit_item(app, &mut transaction, caller, item, "seal.confirm", "done", None).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn audit_item(
    app: &App,
    conn: &mut sqlx::PgConnection,
    caller: &Caller,
    item: &Item,
    action: &'static str,
    outcome: &'static str,
    reason: Option<&str>,
) -> Result<(), AppError> {
    let entry = AuditEntry {
        person_id: Some(caller.person_id),
        principal: &write::principal(caller),
        action,
        aggregate: "legalisation_request",
        aggregate_id: item.request_id,
        outcome,
        reason,
        details: json!({ "intent_id": item.intent_id, "file": item.kind.as_str() }),
    };
    audit::record(conn, &app.ambient, entry).await?;
    Ok(())
}

/// A key that did not sign leaves its trace. The refusal itself is what the caller hears, whatever becomes of the trace.
pub(super) async fn refused_by_key(app: &App, caller: &Caller, items: &[Item], error: AppError) -> AppError {
    let reason = match &error {
        AppError::Refused { reason, .. } => *reason,
        _ => "KEY_UNAVAILABLE",
    };
    let trace = async {
        let mut transaction = app.pool.begin().await?;
        for item in items {
            audit_item(
                app,
                &mut transaction,
                caller,
                item,
                "seal.sign",
                "refused",
                Some(reason),
            )
            .await?;
        }
        transaction.commit().await?;
        Ok::<_, AppError>(())
    };
    match trace.await {
        Ok(()) => error,
        Err(failure) => failure,
    }
}
