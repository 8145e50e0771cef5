//! Tables `difference` and `reconciliation_run`.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;
use crate::domain::difference::{Difference, Reason};

/// A difference as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Listed {
    pub attempt_id: Uuid,
    pub payable_id: Uuid,
    pub provider: String,
    pub provider_order_id: String,
    pub reason: String,
    pub ours: i64,
    pub theirs: i64,
    pub found_at: DateTime<Utc>,
}

/// A run of the nightly comparison.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Run {
    pub day: NaiveDate,
    pub started_at: DateTime<Utc>,
    pub after: Option<Uuid>,
    /// Attempts about which a provider did not answer.
    pub unanswered: i32,
    pub ended_at: Option<DateTime<Utc>>,
}

/// Puts what was found of an attempt in the place of what was found before. `reasons` says which of them were looked for.
///
/// # Errors
/// [`StoreError`].
pub async fn replace(
    conn: &mut PgConnection,
    (payable_id, attempt_id): (Uuid, Uuid),
    reasons: &[Reason],
    found: &[Difference],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let gone: Vec<&str> = reasons
        .iter()
        .filter(|reason| found.iter().all(|difference| difference.reason != **reason))
        .map(|reason| reason.as_str())
        .collect();
    sqlx::query("DELETE FROM difference WHERE attempt_id = $1 AND reason = ANY ($2)")
        .bind(attempt_id)
        .bind(gone)
        .execute(&mut *conn)
        .await?;
    for difference in found {
        sqlx::query(
            "INSERT INTO difference (attempt_id, reason, payable_id, ours, theirs, found_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (attempt_id, reason) DO UPDATE SET ours = $4, theirs = $5",
        )
        .bind(attempt_id)
        .bind(difference.reason.as_str())
        .bind(payable_id)
        .bind(difference.ours)
        .bind(difference.theirs)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Where a page of differences continues.
pub type Place = (DateTime<Utc>, Uuid, String);

/// Differences, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    conn: &mut PgConnection,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let (found_at, attempt_id, reason) = match after {
        Some((found_at, attempt_id, reason)) => (Some(found_at), Some(attempt_id), Some(reason)),
        None => (None, None, None),
    };
    let listed = sqlx::query_as(
        "SELECT attempt_id, difference.payable_id, provider, provider_order_id, reason, ours, theirs, found_at
         FROM difference JOIN attempt ON attempt.id = attempt_id
         WHERE $1::timestamptz IS NULL OR (found_at, attempt_id, reason) > ($1, $2, $3)
         ORDER BY found_at, attempt_id, reason LIMIT $4",
    )
    .bind(found_at)
    .bind(attempt_id)
    .bind(reason)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(listed)
}

/// When the latest run ended, and how many attempts it was not answered about.
///
/// # Errors
/// [`StoreError`].
pub async fn latest_end(conn: &mut PgConnection) -> Result<Option<(DateTime<Utc>, i32)>, StoreError> {
    let end = sqlx::query_as(
        "SELECT ended_at, unanswered FROM reconciliation_run WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1",
    )
    .fetch_optional(conn)
    .await?;
    Ok(end)
}

/// The oldest run that has not ended; otherwise that of the day, begun where it was not.
///
/// # Errors
/// [`StoreError`].
pub async fn begin(conn: &mut PgConnection, day: NaiveDate, now: DateTime<Utc>) -> Result<Run, StoreError> {
    let unended = sqlx::query_as(
        "SELECT day, started_at, after, unanswered, ended_at FROM reconciliation_run WHERE ended_at IS NULL ORDER BY day LIMIT 1",
    )
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(run) = unended {
        return Ok(run);
    }
    sqlx::query("INSERT INTO reconciliation_run (day, started_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(day)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    let run = sqlx::query_as(
        "SELECT day, started_at, after, unanswered, ended_at FROM reconciliation_run WHERE day = $1",
    )
    .bind(day)
    .fetch_one(conn)
    .await?;
    Ok(run)
}

/// An attempt was compared and agreed, and nothing of it is left to happen: it is left out until it changes.
///
/// # Errors
/// [`StoreError`].
pub async fn settle(conn: &mut PgConnection, attempt_id: Uuid) -> Result<(), StoreError> {
    sqlx::query("UPDATE attempt SET settled = true WHERE id = $1")
        .bind(attempt_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// The next attempts of a run: those begun since an instant that are not settled, and those on which something differed.
///
/// # Errors
/// [`StoreError`].
pub async fn next(
    conn: &mut PgConnection,
    run: &Run,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let ids = sqlx::query_as(
        "SELECT id, payable_id FROM attempt
         WHERE NOT settled AND ($1::uuid IS NULL OR id > $1)
             AND (created_at >= $2 OR EXISTS (SELECT FROM difference WHERE attempt_id = attempt.id))
         ORDER BY id LIMIT $3",
    )
    .bind(run.after)
    .bind(since)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// The run has compared up to this attempt, and was not answered about so many.
///
/// # Errors
/// [`StoreError`].
pub async fn advance(
    conn: &mut PgConnection,
    run: &Run,
    after: Uuid,
    unanswered: i32,
) -> Result<(), StoreError> {
    // Another replica may have done the same round: it counts once.
    sqlx::query(
        "UPDATE reconciliation_run SET after = $2, unanswered = unanswered + $3
         WHERE day = $1 AND (after IS NULL OR after < $2)",
    )
    .bind(run.day)
    .bind(after)
    .bind(unanswered)
    .execute(conn)
    .await?;
    Ok(())
}

/// The run has asked about everything.
///
/// # Errors
/// [`StoreError`].
pub async fn end(conn: &mut PgConnection, run: &Run, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query("UPDATE reconciliation_run SET ended_at = $2 WHERE day = $1 AND ended_at IS NULL")
        .bind(run.day)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}
