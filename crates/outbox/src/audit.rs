//! The trail of who did what, appended in the transaction of the act. The application role can neither change
//! nor delete it.

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;

use crate::columns::each;

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

/// Writes the entry in the caller's transaction, with the instant and the trace it belongs to.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn record(
    conn: &mut PgConnection,
    ambient: &Ambient,
    entry: AuditEntry<'_>,
) -> Result<(), AuditError> {
    record_all(conn, ambient, &[entry]).await
}

/// As [`record`], of several entries in their order, by one statement.
///
/// # Errors
/// As [`record`].
pub async fn record_all(
    conn: &mut PgConnection,
    ambient: &Ambient,
    entries: &[AuditEntry<'_>],
) -> Result<(), AuditError> {
    if entries.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = entries.iter().map(|_| ambient.uuid_v7()).collect();
    sqlx::query(
        "INSERT INTO audit (entry_id, recorded_at, person_id, principal, action, aggregate, aggregate_id,
                            outcome, reason, details, traceparent)
         SELECT entry_id, $2, person_id, principal, action, aggregate, aggregate_id, outcome, reason, details, $11
         FROM unnest($1::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[], $9::text[],
                     $10::jsonb[])
              WITH ORDINALITY AS new (entry_id, person_id, principal, action, aggregate, aggregate_id, outcome,
                                      reason, details, place)
         ORDER BY place",
    )
    .bind(ids)
    .bind(ambient.now())
    .bind(each(entries, |entry| entry.person_id))
    .bind(each(entries, |entry| entry.principal))
    .bind(each(entries, |entry| entry.action))
    .bind(each(entries, |entry| entry.aggregate))
    .bind(each(entries, |entry| entry.aggregate_id))
    .bind(each(entries, |entry| entry.outcome))
    .bind(each(entries, |entry| entry.reason))
    .bind(each(entries, |entry| &entry.details))
    .bind(wathiq_chassis::telemetry::traceparent())
    .execute(conn)
    .await?;
    Ok(())
}
