//! Password hashes, authenticators and recovery codes.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{StoreError, exactly_one};

/// What the first step of a sign-in compares with.
#[derive(sqlx::FromRow)]
pub struct PasswordRow {
    pub person_id: Uuid,
    pub password_hash: String,
}

pub async fn password_by_email(
    conn: &mut PgConnection,
    email_folded: &str,
) -> Result<Option<PasswordRow>, StoreError> {
    Ok(
        sqlx::query_as("SELECT person_id, password_hash FROM person WHERE email_folded = $1")
            .bind(email_folded)
            .fetch_optional(conn)
            .await?,
    )
}

pub async fn password_of(conn: &mut PgConnection, person: Uuid) -> Result<Option<String>, StoreError> {
    let row: Option<(String,)> = sqlx::query_as("SELECT password_hash FROM person WHERE person_id = $1")
        .bind(person)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|(hash,)| hash))
}

/// As [`password_of`]; it does not change before the transaction ends.
pub async fn hold_password(conn: &mut PgConnection, person: Uuid) -> Result<Option<String>, StoreError> {
    let row: Option<(String,)> =
        sqlx::query_as("SELECT password_hash FROM person WHERE person_id = $1 FOR SHARE")
            .bind(person)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|(hash,)| hash))
}

/// Forgets what was begun with the password before and is not finished: an authenticator, a contact.
pub async fn drop_unfinished(conn: &mut PgConnection, person: Uuid) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM totp WHERE person_id = $1 AND state = 'pending'",
        "DELETE FROM contact_change WHERE person_id = $1",
    ] {
        sqlx::query(statement).bind(person).execute(&mut *conn).await?;
    }
    Ok(())
}

/// The caller has locked the person.
pub async fn set_password(conn: &mut PgConnection, person: Uuid, hash: &str) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE person SET password_hash = $2 WHERE person_id = $1")
        .bind(person)
        .bind(hash)
        .execute(conn)
        .await?;
    exactly_one(&done, "person", person)
}

/// An authenticator; its secret is sealed.
#[derive(sqlx::FromRow)]
pub struct TotpRow {
    pub secret_sealed: Vec<u8>,
    pub last_step: Option<i64>,
}

/// The authenticator in use, locked: a code works once.
pub async fn lock_totp(conn: &mut PgConnection, person: Uuid) -> Result<Option<TotpRow>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT secret_sealed, last_step FROM totp WHERE person_id = $1 AND state = 'active' FOR UPDATE",
    )
    .bind(person)
    .fetch_optional(conn)
    .await?)
}

pub async fn use_step(conn: &mut PgConnection, person: Uuid, step: i64) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE totp SET last_step = $2
         WHERE person_id = $1 AND state = 'active' AND (last_step IS NULL OR last_step < $2)",
    )
    .bind(person)
    .bind(step)
    .execute(conn)
    .await?;
    exactly_one(&done, "totp", person)
}

/// Begins an enrolment, in the place of an unfinished one.
pub async fn put_pending_totp(
    conn: &mut PgConnection,
    person: Uuid,
    sealed: &[u8],
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO totp (person_id, state, secret_sealed, expires_at, created_at) VALUES ($1, 'pending', $2, $3, $4)
         ON CONFLICT (person_id, state) DO UPDATE
         SET secret_sealed = excluded.secret_sealed, expires_at = excluded.expires_at, created_at = excluded.created_at",
    )
    .bind(person)
    .bind(sealed)
    .bind(expires_at)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The unfinished enrolment, if it is not too old.
pub async fn lock_pending_totp(
    conn: &mut PgConnection,
    person: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as(
        "SELECT secret_sealed FROM totp WHERE person_id = $1 AND state = 'pending' AND expires_at > $2 FOR UPDATE",
    )
    .bind(person)
    .bind(now)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(sealed,)| sealed))
}

/// Puts an authenticator into use, in the place of any other, with the step of the code that showed it works.
pub async fn activate_totp(
    conn: &mut PgConnection,
    person: Uuid,
    sealed: &[u8],
    step: Option<i64>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM totp WHERE person_id = $1")
        .bind(person)
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "INSERT INTO totp (person_id, state, secret_sealed, last_step, created_at) VALUES ($1, 'active', $2, $3, $4)",
    )
    .bind(person)
    .bind(sealed)
    .bind(step)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Replaces all recovery codes.
pub async fn put_recovery_codes(
    conn: &mut PgConnection,
    person: Uuid,
    hashes: &[[u8; 32]],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM recovery_code WHERE person_id = $1")
        .bind(person)
        .execute(&mut *conn)
        .await?;
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    sqlx::query("INSERT INTO recovery_code (person_id, code_hash) SELECT $1, unnest($2::bytea[])")
        .bind(person)
        .bind(hashes)
        .execute(conn)
        .await?;
    Ok(())
}

/// Uses a recovery code up; `false` when there is no such unused one.
pub async fn use_recovery_code(
    conn: &mut PgConnection,
    person: Uuid,
    hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE recovery_code SET used_at = $3 WHERE person_id = $1 AND code_hash = $2 AND used_at IS NULL",
    )
    .bind(person)
    .bind(&hash[..])
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
