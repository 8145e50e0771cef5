//! Messages of the carrier that were taken.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::StoreError;
use crate::domain::vocabulary::Source;

/// A message by its own name for itself.
#[derive(Debug, Clone, Copy)]
pub struct MessageKey<'a> {
    pub source: Source,
    pub id: &'a str,
    pub body_sha256: [u8; 32],
}

/// What the claim of a message found.
#[derive(Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Not taken yet, by anybody.
    New,
    /// Begun before and not finished.
    Begun,
    /// Taken before, with this answer.
    Done(Vec<u8>),
    /// Its id was used for another message.
    Reused,
}

/// Claims a message; another transaction that has claimed it and not ended is waited for.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(
    conn: &mut PgConnection,
    key: MessageKey<'_>,
    now: DateTime<Utc>,
) -> Result<Claimed, StoreError> {
    let done = sqlx::query(
        "INSERT INTO carrier_message (id, kind, body_sha256, received_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(key.id)
    .bind(key.source.as_str())
    .bind(key.body_sha256.as_slice())
    .bind(now)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(Claimed::New);
    }
    let (body_sha256, answer): (Vec<u8>, Option<Vec<u8>>) =
        sqlx::query_as("SELECT body_sha256, answer FROM carrier_message WHERE id = $1 AND kind = $2")
            .bind(key.id)
            .bind(key.source.as_str())
            .fetch_one(conn)
            .await?;
    Ok(match answer {
        _ if body_sha256 != key.body_sha256 => Claimed::Reused,
        Some(answer) => Claimed::Done(answer),
        None => Claimed::Begun,
    })
}

/// Forgets messages that were taken before `before`; at most `limit`, and says how many.
///
/// # Errors
/// [`StoreError`].
pub async fn forget(conn: &mut PgConnection, before: DateTime<Utc>, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM carrier_message WHERE ctid = ANY (ARRAY (SELECT ctid FROM carrier_message WHERE received_at < $1 LIMIT $2))",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Stores the answer.
///
/// # Errors
/// [`StoreError`].
pub async fn complete(conn: &mut PgConnection, key: MessageKey<'_>, answer: &[u8]) -> Result<(), StoreError> {
    sqlx::query("UPDATE carrier_message SET answer = $3 WHERE id = $1 AND kind = $2 AND answer IS NULL")
        .bind(key.id)
        .bind(key.source.as_str())
        .bind(answer)
        .execute(conn)
        .await?;
    Ok(())
}
