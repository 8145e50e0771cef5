//! Writing down who did what.

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Ambient, Caller};
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::{App, AppError};

/// The principal of a person in audit and idempotency records.
pub fn principal(caller: &Caller) -> String {
    format!("person:{}", caller.person_id)
}

/// What an act was done to.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// Such as `order`.
    pub aggregate: &'static str,
    pub id: Uuid,
}

/// What a person did.
#[derive(Debug, Clone)]
pub struct Done {
    /// Such as `order.place`.
    pub action: &'static str,
    pub subject: Subject,
    /// Without personal data.
    pub details: Value,
}

/// Audits what a person did. No personal data in `details`.
///
/// # Errors
/// [`AppError::Audit`].
pub async fn audit(
    conn: &mut PgConnection,
    ambient: &Ambient,
    caller: &Caller,
    action: &'static str,
    subject: Subject,
    details: Value,
) -> Result<(), AppError> {
    let done = Done {
        action,
        subject,
        details,
    };
    audit_all(conn, ambient, caller, vec![done]).await
}

/// As [`audit`], of several things.
///
/// # Errors
/// [`AppError::Audit`].
pub async fn audit_all(
    conn: &mut PgConnection,
    ambient: &Ambient,
    caller: &Caller,
    all: Vec<Done>,
) -> Result<(), AppError> {
    let principal = principal(caller);
    let entry = |done: Done| AuditEntry {
        person_id: Some(caller.person_id),
        principal: &principal,
        action: done.action,
        aggregate: done.subject.aggregate,
        aggregate_id: done.subject.id,
        outcome: "done",
        reason: None,
        details: done.details,
    };
    let entries: Vec<AuditEntry<'_>> = all.into_iter().map(entry).collect();
    audit::record_all(conn, ambient, &entries).await?;
    Ok(())
}

/// Leaves a trace of an act that was denied to an official, then gives the result on.
///
/// # Errors
/// The denial; an audit trail that cannot be written comes before it.
pub async fn trace_denial<T>(
    app: &App,
    caller: &Caller,
    action: &'static str,
    subject: Subject,
    result: Result<T, AppError>,
) -> Result<T, AppError> {
    let Err(AppError::Denied { reason, .. }) = &result else {
        return result;
    };
    let mut conn = app.pool.acquire().await?;
    let entry = AuditEntry {
        person_id: Some(caller.person_id),
        principal: &principal(caller),
        action,
        aggregate: subject.aggregate,
        aggregate_id: subject.id,
        outcome: "refused",
        reason: Some(reason),
        details: Value::Null,
    };
    audit::record(&mut conn, &app.ambient, entry).await?;
    result
}
