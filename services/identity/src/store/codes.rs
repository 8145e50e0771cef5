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

impl TryFrom<CodeRow> for OneTimeCode {
    type Error = StoreError;

    fn try_from(row: CodeRow) -> Result<Self, StoreError> {
        let reading = Reading {
            table: TABLE,
            id: &row.code_id,
        };
        Ok(Self {
            id: row.code_id,
            purpose: reading.word("purpose", &row.purpose)?,
            subject_id: row.subject_id,
            hash: reading.bytes32("code_hash", &row.code_hash)?,
            attempts_left: row.attempts_left,
            expires_at: row.expires_at,
            used: row.used,
        })
    }
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
    row.map(OneTimeCode::try_from).transpose()
}

/// The codes that were sent for resets of an account that are under way, newest first; whether they are used up or barred does
/// not matter here.
pub async fn mailed_for(
    conn: &mut PgConnection,
    account: &str,
    now: DateTime<Utc>,
) -> Result<Vec<OneTimeCode>, StoreError> {
    let rows: Vec<CodeRow> = sqlx::query_as(
        "SELECT c.* FROM one_time_code c JOIN password_reset r ON r.password_reset_id = c.subject_id
         WHERE r.account = $1 AND r.mailed AND NOT r.done AND c.purpose = $2 AND c.expires_at > $3
         ORDER BY c.expires_at DESC LIMIT 32",
    )
    .bind(account)
    .bind(CodePurpose::PasswordReset.as_str())
    .bind(now)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(OneTimeCode::try_from).collect()
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
