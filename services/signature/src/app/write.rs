//! Writing down what a transition brought about.

use serde_json::Value;
use sqlx::PgConnection;
use wathiq_chassis::{Ambient, Caller};
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::AppError;
use crate::domain::fact::Fact;
use crate::domain::request::LegalisationRequest;
use crate::events::publish;
use crate::store::requests;

/// Saves the request after one transition and appends its event.
///
/// # Errors
/// [`AppError`]; a lost race when the row is no longer at the version before.
pub async fn record(
    conn: &mut PgConnection,
    ambient: &Ambient,
    request: &LegalisationRequest,
    fact: &Fact,
) -> Result<(), AppError> {
    if *fact == Fact::Created {
        requests::insert(conn, request).await?;
    } else {
        requests::save(conn, request).await?;
    }
    wathiq_outbox::append(conn, ambient, publish::event_of(request, fact)).await?;
    Ok(())
}

/// The principal of a person in audit and idempotency records.
pub fn principal(caller: &Caller) -> String {
    format!("person:{}", caller.person_id)
}

/// Audits what a person did to a request.
///
/// # Errors
/// [`AppError::Audit`].
pub async fn audit(
    conn: &mut PgConnection,
    ambient: &Ambient,
    caller: &Caller,
    action: &'static str,
    request: &LegalisationRequest,
    details: Value,
) -> Result<(), AppError> {
    let entry = AuditEntry {
        person_id: Some(caller.person_id),
        principal: &principal(caller),
        action,
        aggregate: "legalisation_request",
        aggregate_id: request.id,
        outcome: "done",
        reason: None,
        details,
    };
    audit::record(conn, ambient, entry).await?;
    Ok(())
}
