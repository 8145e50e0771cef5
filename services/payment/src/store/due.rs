//! Who works on which attempt: leases on the rows of `attempt`. One step at a time for each attempt, whatever the number of processes.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;

/// A lease on an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Lease {
    pub attempt_id: Uuid,
    pub payable_id: Uuid,
    pub lease: Uuid,
}

/// Takes the attempt that has been due for longest.
///
/// # Errors
/// [`StoreError`].
pub async fn take(
    conn: &mut PgConnection,
    lease: Uuid,
    now: DateTime<Utc>,
    length: TimeDelta,
) -> Result<Option<Lease>, StoreError> {
    let taken = sqlx::query_as(
        "UPDATE attempt SET lease = $1, lease_until = $3 WHERE id = (
             SELECT id FROM attempt WHERE due_at <= $2 AND (lease_until IS NULL OR lease_until <= $2)
             ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id AS attempt_id, payable_id, lease",
    )
    .bind(lease)
    .bind(now)
    .bind(now + length)
    .fetch_optional(conn)
    .await?;
    Ok(taken)
}

/// Whether the lease is still held; its row stays locked until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn holds(conn: &mut PgConnection, lease: Lease) -> Result<bool, StoreError> {
    let held: Option<Uuid> =
        sqlx::query_scalar("SELECT id FROM attempt WHERE id = $1 AND lease = $2 FOR UPDATE")
            .bind(lease.attempt_id)
            .bind(lease.lease)
            .fetch_optional(conn)
            .await?;
    Ok(held.is_some())
}

/// Gives the lease back.
///
/// # Errors
/// [`StoreError`].
pub async fn release(conn: &mut PgConnection, lease: Lease) -> Result<(), StoreError> {
    sqlx::query("UPDATE attempt SET lease = NULL, lease_until = NULL WHERE id = $1 AND lease = $2")
        .bind(lease.attempt_id)
        .bind(lease.lease)
        .execute(conn)
        .await?;
    Ok(())
}
