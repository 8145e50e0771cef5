//! Writing down what a transition brought about.

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Ambient, Caller};
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::{App, AppError};
use crate::domain::fact::Fact;
use crate::domain::request::LegalisationRequest;
use crate::domain::transition::TransitionError;
use crate::events::publish;
use crate::store::requests;

/// The reason of whoever meets the persons that four eyes keep apart.
pub const FOUR_EYES: &str = "FOUR_EYES";

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

/// The principal of another service in audit and idempotency records.
pub fn service(peer: &str) -> String {
    format!("service:{peer}")
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

/// What an act was about, for its trace.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Such as `legalisation_request`.
    pub aggregate: &'static str,
    pub ids: &'a [Uuid],
}

/// Leaves a trace of an act on a request that was denied to an official, then gives the denial on.
///
/// # Errors
/// The denial; an audit trail that cannot be written comes before it.
pub async fn trace_denial<T>(
    app: &App,
    caller: &Caller,
    action: &'static str,
    request_id: Uuid,
    result: Result<T, AppError>,
) -> Result<T, AppError> {
    let subject = Subject {
        aggregate: "legalisation_request",
        ids: &[request_id],
    };
    trace_denial_of(app, caller, action, subject, result).await
}

/// Leaves a trace for each thing that a denied act was about, then gives the denial on.
///
/// # Errors
/// As [`trace_denial`].
pub async fn trace_denial_of<T>(
    app: &App,
    caller: &Caller,
    action: &'static str,
    subject: Subject<'_>,
    result: Result<T, AppError>,
) -> Result<T, AppError> {
    let reason = match &result {
        Err(AppError::Denied { reason, .. }) => reason,
        Err(AppError::Refused { reason, .. }) if *reason == FOUR_EYES => reason,
        Err(AppError::Transition(TransitionError::FourEyes)) => FOUR_EYES,
        _ => return result,
    };
    record_denial(app, caller, action, subject, reason).await?;
    result
}

/// Writes down that an act was denied.
///
/// # Errors
/// [`AppError`].
pub async fn record_denial(
    app: &App,
    caller: &Caller,
    action: &'static str,
    subject: Subject<'_>,
    reason: &str,
) -> Result<(), AppError> {
    let mut transaction = app.pool.begin().await?;
    for id in subject.ids {
        let entry = AuditEntry {
            person_id: Some(caller.person_id),
            principal: &principal(caller),
            action,
            aggregate: subject.aggregate,
            aggregate_id: *id,
            outcome: "refused",
            reason: Some(reason),
            details: Value::Null,
        };
        audit::record(&mut transaction, &app.ambient, entry).await?;
    }
    transaction.commit().await?;
    Ok(())
}
