//! Requests to phones, counted over table `attempt`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;

/// Requests since an instant: to this phone, and asked for by this payer. Whoever counts for the same phone or payer waits until the
/// transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn count(
    conn: &mut PgConnection,
    phone: &str,
    payer: Uuid,
    since: DateTime<Utc>,
) -> Result<(i64, i64), StoreError> {
    // In one order for everybody, so that two never wait for each other.
    sqlx::query(
        "SELECT pg_advisory_xact_lock(key) FROM (
             SELECT hashtextextended(name, 0) AS key FROM unnest(ARRAY[$1, $2]) AS names (name) ORDER BY 1) AS keys",
    )
    .bind(phone)
    .bind(payer.to_string())
    .execute(&mut *conn)
    .await?;
    let counts = sqlx::query_as(
        "SELECT (SELECT count(*) FROM attempt WHERE provider = 'text-message' AND phone = $1 AND created_at > $3),
             (SELECT count(*) FROM attempt JOIN payable ON payable.id = payable_id
              WHERE provider = 'text-message' AND payer_person_id = $2 AND attempt.created_at > $3)",
    )
    .bind(phone)
    .bind(payer)
    .bind(since)
    .fetch_one(conn)
    .await?;
    Ok(counts)
}
