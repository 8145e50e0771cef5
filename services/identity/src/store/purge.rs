//! What is too old to be of use, and whose end, where that is an event, has been told.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::StoreError;

/// How long a finished or expired row is kept, so that a late question still gets its own answer.
const KEPT: TimeDelta = TimeDelta::days(1);
/// How long sessions are kept: they tell which addresses a person is known at.
pub const SESSIONS_KEPT: TimeDelta = TimeDelta::days(90);

/// Rows at a time, so that no statement runs long.
macro_rules! delete_some {
    ($table:literal, $condition:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ctid = ANY (ARRAY (SELECT ctid FROM ",
            $table,
            " WHERE ",
            $condition,
            " LIMIT 1000))"
        )
    };
}

const BY_EXPIRY: &[&str] = &[
    delete_some!("sign_up", "expires_at < $1"),
    delete_some!("contact_change", "expires_at < $1"),
    delete_some!("password_reset", "expires_at < $1"),
    delete_some!("contact_session", "expires_at < $1"),
    delete_some!("one_time_code", "expires_at < $1"),
    delete_some!("sign_in_challenge", "expires_at < $1"),
    delete_some!("totp", "state = 'pending' AND expires_at < $1"),
    delete_some!("delivery", "expires_at < $1"),
    // What grew old is ended first, with its event. A confirmation that was used is kept: the record of it outlives the
    // document.
    delete_some!(
        "confirmation",
        "state IN ('expired', 'barred') AND expires_at < $1"
    ),
];

/// Erases what expired deliveries hold, and deletes a batch of what is old. Returns the number of rows.
pub async fn purge(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let mut rows =
        sqlx::query("UPDATE delivery SET sealed = NULL WHERE expires_at <= $1 AND sealed IS NOT NULL")
            .bind(now)
            .execute(&mut *conn)
            .await?
            .rows_affected();
    for statement in BY_EXPIRY {
        rows += sqlx::query(*statement)
            .bind(now - KEPT)
            .execute(&mut *conn)
            .await?
            .rows_affected();
    }
    rows += sqlx::query(delete_some!(
        "session",
        "ended_at IS NOT NULL AND created_at < $1"
    ))
    .bind(now - SESSIONS_KEPT)
    .execute(&mut *conn)
    .await?
    .rows_affected();
    rows += sqlx::query(delete_some!("quota", "arrival < $1"))
        .bind(now)
        .execute(conn)
        .await?
        .rows_affected();
    Ok(rows)
}

/// Elects one replica for the length of the transaction.
pub async fn try_lead(conn: &mut PgConnection) -> Result<bool, StoreError> {
    const LOCK: i64 = 0x7761_7468_7075_7267;
    let (leads,): (bool,) = sqlx::query_as("SELECT pg_try_advisory_xact_lock($1)")
        .bind(LOCK)
        .fetch_one(conn)
        .await?;
    Ok(leads)
}
