//! Table `signing_key`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Reading, StoreError, exactly_one};
use crate::domain::signing_key::SigningKey;

/// Any number that no other use of advisory locks in this database has.
const LOCK: i64 = 0x7761_7468_6b65_7973;

#[derive(sqlx::FromRow)]
struct KeyRow {
    key_id: String,
    public_key: Vec<u8>,
    active_from: DateTime<Utc>,
    has_private: bool,
}

/// All keys, in order of `active_from`.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<SigningKey>, StoreError> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "SELECT key_id, public_key, active_from, private_sealed IS NOT NULL AS has_private
         FROM signing_key ORDER BY active_from",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let public_key = Reading {
                table: "signing_key",
                id: &row.key_id,
            }
            .bytes32("public_key", &row.public_key)?;
            Ok(SigningKey {
                id: row.key_id,
                public_key,
                active_from: row.active_from,
                has_private: row.has_private,
            })
        })
        .collect()
}

pub async fn sealed(conn: &mut PgConnection, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<(Option<Vec<u8>>,)> =
        sqlx::query_as("SELECT private_sealed FROM signing_key WHERE key_id = $1")
            .bind(id)
            .fetch_optional(conn)
            .await?;
    Ok(row.and_then(|(sealed,)| sealed))
}

/// Keeps other replicas from rotating until the transaction ends.
pub async fn lock_rotation(conn: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn insert(
    conn: &mut PgConnection,
    key: &SigningKey,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO signing_key (key_id, public_key, private_sealed, active_from, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&key.id)
    .bind(&key.public_key[..])
    .bind(sealed)
    .bind(key.active_from)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn destroy(conn: &mut PgConnection, id: &str) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE signing_key SET private_sealed = NULL WHERE key_id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    exactly_one(&done, "signing_key", id)
}
