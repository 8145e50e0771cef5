//! Table `one_time_code`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::one_time_code::{CodePurpose, OneTimeCode};
use crate::domain::vocabulary::Word;

const TABLE: &str = "one_time_code";

#[derive(sqlx::FromRow)]
struct CodeRow {
    code_id: Uuid,
    purpose: String,
    subject_id: Uuid,
    code_hash: Vec<u8>,
    attempts_left: i16,
    expires_at: DateTime<Utc>,
    used: bool,
}

/// Stores a fresh code in the place of the one before.
pub async fn put(conn: &mut PgConnection, code: &OneTimeCode) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO one_time_code (code_id, purpose, subject_id, code_hash, attempts_left, expires_at, used)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (subject_id, purpose) DO UPDATE
         SET code_id = excluded.code_id, code_hash = excluded.code_hash, attempts_left = excluded.attempts_left,
             expires_at = excluded.expires_at, used = excluded.used",
    )
    .bind(code.id)
    .bind(code.purpose.as_str())
    .bind(code.subject_id)
    .bind(&code.hash[..])
    .bind(code.attempts_left)
    .bind(code.expires_at)
    .bind(code.used)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn lock(
    conn: &mut PgConnection,
    subject: Uuid,
    purpose: CodePurpose,
) -> Result<Option<OneTimeCode>, StoreError> {
    let row: Option<CodeRow> =
        sqlx::query_as("SELECT * FROM one_time_code WHERE subject_id = $1 AND purpose = $2 FOR UPDATE")
            .bind(subject)
            .bind(purpose.as_str())
            .fetch_optional(conn)
            .await?;
    row.map(|row| {
        let reading = Reading {
            table: TABLE,
            id: &row.code_id,
        };
        Ok(OneTimeCode {
            id: row.code_id,
            purpose: reading.word("purpose", &row.purpose)?,
            subject_id: row.subject_id,
            hash: reading.bytes32("code_hash", &row.code_hash)?,
            attempts_left: row.attempts_left,
            expires_at: row.expires_at,
            used: row.used,
        })
    })
    .transpose()
}

/// Saves an attempt on a locked code.
pub async fn save(conn: &mut PgConnection, code: &OneTimeCode) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE one_time_code SET attempts_left = $2, used = $3 WHERE code_id = $1")
        .bind(code.id)
        .bind(code.attempts_left)
        .bind(code.used)
        .execute(conn)
        .await?;
    exactly_one(&done, TABLE, code.id)
}
