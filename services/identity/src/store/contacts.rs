//! Tables `contact` and `contact_session`: people without an account.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::contact::{Email, Phone};
use crate::domain::contact_session::{ContactPerson, ContactSession, Reachable};
use crate::domain::vocabulary::Word;

#[derive(sqlx::FromRow)]
struct ReachableRow {
    email: String,
    phone: String,
    language: String,
}

impl ReachableRow {
    fn read(self, reading: &Reading<'_>) -> Result<Reachable, StoreError> {
        Ok(Reachable {
            email: Email::parse(&self.email).map_err(|_| reading.wrong("email"))?,
            phone: Phone::parse(&self.phone).map_err(|_| reading.wrong("phone"))?,
            language: reading.word("language", &self.language)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ContactRow {
    contact_id: Uuid,
    #[sqlx(flatten)]
    reachable: ReachableRow,
    created_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct ContactSessionRow {
    contact_session_id: Uuid,
    #[sqlx(flatten)]
    reachable: ReachableRow,
    expires_at: DateTime<Utc>,
    done: bool,
}

/// The id of who has this address and phone: `fresh` where they were not proved together before. Language and spelling of
/// the address become those of now.
pub async fn put(
    conn: &mut PgConnection,
    fresh: Uuid,
    reachable: &Reachable,
    now: DateTime<Utc>,
) -> Result<Uuid, StoreError> {
    let (id,): (Uuid,) = sqlx::query_as(
        "INSERT INTO contact (contact_id, email, email_folded, phone, language, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (email_folded, phone) DO UPDATE SET email = excluded.email, language = excluded.language
         RETURNING contact_id",
    )
    .bind(fresh)
    .bind(reachable.email.as_str())
    .bind(reachable.email.folded())
    .bind(reachable.phone.as_str())
    .bind(reachable.language.as_str())
    .bind(now)
    .fetch_one(conn)
    .await?;
    Ok(id)
}

pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<ContactPerson>, StoreError> {
    let row: Option<ContactRow> = sqlx::query_as("SELECT * FROM contact WHERE contact_id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        let reading = Reading {
            table: "contact",
            id: &row.contact_id,
        };
        Ok(ContactPerson {
            id: row.contact_id,
            reachable: row.reachable.read(&reading)?,
            created_at: row.created_at,
        })
    })
    .transpose()
}

pub async fn insert_session(conn: &mut PgConnection, session: &ContactSession) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO contact_session (contact_session_id, email, phone, language, expires_at, done)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(session.id)
    .bind(session.reachable.email.as_str())
    .bind(session.reachable.phone.as_str())
    .bind(session.reachable.language.as_str())
    .bind(session.expires_at)
    .bind(session.done)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn lock_session(conn: &mut PgConnection, id: Uuid) -> Result<Option<ContactSession>, StoreError> {
    let row: Option<ContactSessionRow> =
        sqlx::query_as("SELECT * FROM contact_session WHERE contact_session_id = $1 FOR UPDATE")
            .bind(id)
            .fetch_optional(conn)
            .await?;
    row.map(|row| {
        let reading = Reading {
            table: "contact_session",
            id: &row.contact_session_id,
        };
        Ok(ContactSession {
            id: row.contact_session_id,
            reachable: row.reachable.read(&reading)?,
            expires_at: row.expires_at,
            done: row.done,
        })
    })
    .transpose()
}

pub async fn finish_session(conn: &mut PgConnection, id: Uuid) -> Result<(), StoreError> {
    let done =
        sqlx::query("UPDATE contact_session SET done = true WHERE contact_session_id = $1 AND NOT done")
            .bind(id)
            .execute(conn)
            .await?;
    exactly_one(&done, "contact_session", id)
}
