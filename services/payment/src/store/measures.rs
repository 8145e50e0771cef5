//! What is measured of all books at once.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StoreError;

/// What waits, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Measures {
    pub oldest_started: Option<DateTime<Utc>>,
    pub oldest_authorised: Option<DateTime<Utc>>,
    pub oldest_voiding: Option<DateTime<Utc>>,
    pub oldest_refund: Option<DateTime<Utc>>,
    pub authorised_not_captured: i64,
    pub refunds_failed: i64,
    pub voids_failed: i64,
    pub differences: i64,
}

/// Reads them. `late` is the instant before which an authorised attempt should have been captured.
///
/// # Errors
/// [`StoreError`].
pub async fn read(
    conn: &mut PgConnection,
    late: DateTime<Utc>,
    refusals: i32,
) -> Result<Measures, StoreError> {
    let measures = sqlx::query_as(
        "SELECT (SELECT min(created_at) FROM attempt WHERE due_at IS NOT NULL AND state = 'STARTED') AS oldest_started,
            (SELECT min(authorised_at) FROM attempt WHERE due_at IS NOT NULL AND state = 'AUTHORISED') AS oldest_authorised,
            (SELECT min(authorised_at) FROM attempt WHERE due_at IS NOT NULL AND state = 'VOIDING') AS oldest_voiding,
            (SELECT min(created_at) FROM refund WHERE state = 'REQUESTED') AS oldest_refund,
            (SELECT count(*) FROM attempt WHERE due_at IS NOT NULL AND state = 'AUTHORISED' AND authorised_at < $1)
                AS authorised_not_captured,
            (SELECT count(*) FROM refund WHERE state = 'FAILED') AS refunds_failed,
            (SELECT count(*) FROM reversal WHERE state = 'OPEN' AND refusals >= $2) AS voids_failed,
            (SELECT count(*) FROM difference) AS differences",
    )
    .bind(late)
    .bind(refusals)
    .fetch_one(conn)
    .await?;
    Ok(measures)
}
