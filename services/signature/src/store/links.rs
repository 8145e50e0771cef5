//! Table `download_link`: digests of the tokens in e-mails.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::StoreError;

/// Where a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Link {
    pub request_id: Uuid,
    pub expires_at: DateTime<Utc>,
}

/// Adds a link.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    conn: &mut PgConnection,
    token_sha256: &[u8; 32],
    link: Link,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO download_link (token_sha256, request_id, created_at, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(&token_sha256[..])
        .bind(link.request_id)
        .bind(now)
        .bind(link.expires_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// The link of a token, unless it has expired.
///
/// # Errors
/// [`StoreError`].
pub async fn find(
    conn: &mut PgConnection,
    token_sha256: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Link>, StoreError> {
    let link = sqlx::query_as(
        "SELECT request_id, expires_at FROM download_link WHERE token_sha256 = $1 AND expires_at > $2",
    )
    .bind(&token_sha256[..])
    .bind(now)
    .fetch_optional(conn)
    .await?;
    Ok(link)
}

/// Removes links that have expired and returns their number.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_expired(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM download_link WHERE expires_at <= $1")
        .bind(now)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}
