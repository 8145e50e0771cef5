//! Table `answer`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;

/// What tells a message from another.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    pub attempt_id: Uuid,
    pub message: &'a str,
    pub success: bool,
}

/// What the message was answered before.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, key: Key<'_>) -> Result<Option<String>, StoreError> {
    let answer = sqlx::query_scalar(
        "SELECT answer FROM answer WHERE attempt_id = $1 AND message_key = $2 AND success = $3",
    )
    .bind(key.attempt_id)
    .bind(key.message)
    .bind(key.success)
    .fetch_optional(conn)
    .await?;
    Ok(answer)
}

/// Keeps an answer.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    conn: &mut PgConnection,
    key: Key<'_>,
    answer: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO answer (attempt_id, message_key, success, answer, answered_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(key.attempt_id)
    .bind(key.message)
    .bind(key.success)
    .bind(answer)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}
