//! Files that show a relation.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::store::StoreError;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Evidence {
    pub id: Uuid,
    /// Who uploaded it.
    pub person_id: Uuid,
    pub kind: String,
    pub file_name: String,
    pub content_type: String,
    pub size_bytes: i64,
    pub sha256: Vec<u8>,
    pub object_key: String,
    pub created_at: DateTime<Utc>,
    /// Deleted then, unless an order names it.
    pub expires_at: DateTime<Utc>,
    pub order_id: Option<Uuid>,
}

/// Writes a file down.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, evidence: &Evidence) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO evidence (id, person_id, kind, file_name, content_type, size_bytes, sha256, object_key, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(evidence.id)
    .bind(evidence.person_id)
    .bind(&evidence.kind)
    .bind(&evidence.file_name)
    .bind(&evidence.content_type)
    .bind(evidence.size_bytes)
    .bind(&evidence.sha256)
    .bind(&evidence.object_key)
    .bind(evidence.created_at)
    .bind(evidence.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Files by their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn get(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Evidence>, StoreError> {
    let sql = "SELECT * FROM evidence WHERE id = ANY($1) ORDER BY id";
    Ok(sqlx::query_as(sql).bind(ids).fetch_all(conn).await?)
}

/// Keeps files with the order that names them. Gives the number of those that are the person's, and no other order's.
///
/// # Errors
/// [`StoreError`].
pub async fn keep(
    conn: &mut PgConnection,
    ids: &[Uuid],
    person_id: Uuid,
    order_id: Uuid,
) -> Result<u64, StoreError> {
    let sql = "UPDATE evidence SET order_id = $3
               WHERE id = ANY($1) AND person_id = $2 AND (order_id IS NULL OR order_id = $3)";
    let kept = sqlx::query(sql).bind(ids).bind(person_id).bind(order_id);
    Ok(kept.execute(conn).await?.rows_affected())
}

/// Deletes files that no order has named in time; gives their object keys.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_expired(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = "DELETE FROM evidence WHERE id IN (
                   SELECT id FROM evidence WHERE order_id IS NULL AND expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
               RETURNING object_key";
    Ok(sqlx::query_scalar(sql)
        .bind(now)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

/// Which of these object keys a row names.
///
/// # Errors
/// [`StoreError`].
pub async fn named(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT object_key FROM evidence WHERE object_key = ANY($1)";
    Ok(sqlx::query_scalar(sql).bind(keys).fetch_all(conn).await?)
}
