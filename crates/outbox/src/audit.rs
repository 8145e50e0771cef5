//! The trail of who did what, appended in the transaction of the act. The application role can neither change
//! nor delete it.

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;

/// One act, done or refused.
#[derive(Debug, Clone)]
pub struct AuditEntry<'a> {
    /// The person who acted, where there is one.
    pub person_id: Option<Uuid>,
    /// `person:<uuid>` or `service:<name>`.
    pub principal: &'a str,
    /// Verb in the service's own words, such as `legalisation_request.accept`.
    pub action: &'static str,
    /// Kind of the aggregate acted on, such as `legalisation_request`.
    pub aggregate: &'static str,
    pub aggregate_id: Uuid,
    /// `done`, `refused`, …
    pub outcome: &'static str,
    /// Reason code of a refusal.
    pub reason: Option<&'a str>,
    /// What else belongs to the record: ids and codes.
    pub details: Value,
}

/// Why an entry was not written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("writing the audit entry failed")]
    Database(#[from] sqlx::Error),
}

/// Writes the entry in the caller's transaction, with the instant and the trace it belongs to; returns its
/// id.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn record(
    conn: &mut PgConnection,
    ambient: &Ambient,
    entry: AuditEntry<'_>,
) -> Result<Uuid, AuditError> {
    let entry_id = ambient.uuid_v7();
    sqlx::query(
        "INSERT INTO audit (entry_id, recorded_at, person_id, principal, action, aggregate, aggregate_id,
                            outcome, reason, details, traceparent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(entry_id)
    .bind(ambient.now())
    .bind(entry.person_id)
    .bind(entry.principal)
    .bind(entry.action)
    .bind(entry.aggregate)
    .bind(entry.aggregate_id)
    .bind(entry.outcome)
    .bind(entry.reason)
    .bind(entry.details)
    .bind(wathiq_chassis::telemetry::traceparent())
    .execute(conn)
    .await?;
    Ok(entry_id)
}
