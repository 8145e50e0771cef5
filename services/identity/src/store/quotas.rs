//! Table `quota`: one theoretical arrival time for each bucket and key.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StoreError;
use crate::domain::quota::{Answer, Rate};

/// Takes `units` from a key in one statement, so that two replicas cannot both take the last one.
pub async fn take(
    conn: &mut PgConnection,
    bucket: &str,
    key: &[u8; 32],
    rate: Rate,
    units: u32,
    now: DateTime<Utc>,
) -> Result<Answer, StoreError> {
    let taken: Option<(DateTime<Utc>,)> = sqlx::query_as(
        "INSERT INTO quota AS q (bucket, key, arrival)
         SELECT $1, $2, $3::timestamptz + $4::interval WHERE $4::interval <= $5::interval
         ON CONFLICT (bucket, key) DO UPDATE SET arrival = greatest(q.arrival, $3) + $4
         WHERE greatest(q.arrival, $3) + $4 <= $3 + $5
         RETURNING arrival",
    )
    .bind(bucket)
    .bind(&key[..])
    .bind(now)
    .bind(rate.cost(units))
    .bind(rate.tolerance())
    .fetch_optional(&mut *conn)
    .await?;
    if let Some((arrival,)) = taken {
        return Ok(rate.answer(true, arrival, now));
    }
    let held: Option<(DateTime<Utc>,)> =
        sqlx::query_as("SELECT arrival FROM quota WHERE bucket = $1 AND key = $2")
            .bind(bucket)
            .bind(&key[..])
            .fetch_optional(conn)
            .await?;
    Ok(rate.answer(false, held.map_or(now, |(arrival,)| arrival), now))
}

/// Whether a unit is left; takes none.
pub async fn look(
    conn: &mut PgConnection,
    bucket: &str,
    key: &[u8; 32],
    rate: Rate,
    now: DateTime<Utc>,
) -> Result<Answer, StoreError> {
    let held: Option<(DateTime<Utc>,)> =
        sqlx::query_as("SELECT arrival FROM quota WHERE bucket = $1 AND key = $2")
            .bind(bucket)
            .bind(&key[..])
            .fetch_optional(conn)
            .await?;
    let arrival = held.map_or(now, |(arrival,)| arrival);
    let allowed = arrival.max(now) + rate.cost(1) <= now + rate.tolerance();
    Ok(rate.answer(allowed, arrival, now))
}

/// Gives one unit back, after an attempt that proved to be right.
pub async fn give_back(
    conn: &mut PgConnection,
    bucket: &str,
    key: &[u8; 32],
    rate: Rate,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE quota SET arrival = arrival - $3::interval WHERE bucket = $1 AND key = $2")
        .bind(bucket)
        .bind(&key[..])
        .bind(rate.cost(1))
        .execute(conn)
        .await?;
    Ok(())
}
