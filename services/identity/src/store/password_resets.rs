//! Table `password_reset`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;

/// A password reset under way; without a person where the address has no account.
#[derive(sqlx::FromRow)]
pub struct PasswordReset {
    pub password_reset_id: Uuid,
    pub person_id: Option<Uuid>,
    /// What attempts are counted by, whether or not there is a person.
    pub account: String,
    /// Whether its code was sent, if there is a person to send it to.
    pub mailed: bool,
    pub expires_at: DateTime<Utc>,
    pub done: bool,
}

pub async fn insert(conn: &mut PgConnection, reset: &PasswordReset) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO password_reset (password_reset_id, person_id, expires_at, done, account, mailed)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(reset.password_reset_id)
    .bind(reset.person_id)
    .bind(reset.expires_at)
    .bind(reset.done)
    .bind(&reset.account)
    .bind(reset.mailed)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<PasswordReset>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT password_reset_id, person_id, account, mailed, expires_at, done
         FROM password_reset WHERE password_reset_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?)
}

pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<PasswordReset>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT password_reset_id, person_id, account, mailed, expires_at, done
         FROM password_reset WHERE password_reset_id = $1 FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?)
}

/// Ends all resets of an account: each could be ended with a code that was sent for another.
pub async fn finish_all(conn: &mut PgConnection, account: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE password_reset SET done = true WHERE account = $1 AND NOT done")
        .bind(account)
        .execute(conn)
        .await?;
    Ok(())
}
