//! Table `contact_change`: new contacts that wait to be proved.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::contact::Contact;
use crate::domain::vocabulary::Word;

const TABLE: &str = "contact_change";

/// A change of contact under way.
pub struct ContactChange {
    pub id: Uuid,
    pub person_id: Uuid,
    pub contact: Contact,
    pub expires_at: DateTime<Utc>,
    pub done: bool,
}

#[derive(sqlx::FromRow)]
struct ContactChangeRow {
    contact_change_id: Uuid,
    person_id: Uuid,
    channel: String,
    value: String,
    expires_at: DateTime<Utc>,
    done: bool,
}

pub async fn insert(conn: &mut PgConnection, change: &ContactChange) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO contact_change (contact_change_id, person_id, channel, value, expires_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(change.id)
    .bind(change.person_id)
    .bind(change.contact.channel().as_str())
    .bind(change.contact.as_str())
    .bind(change.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<ContactChange>, StoreError> {
    let row: Option<ContactChangeRow> =
        sqlx::query_as("SELECT * FROM contact_change WHERE contact_change_id = $1 FOR UPDATE")
            .bind(id)
            .fetch_optional(conn)
            .await?;
    row.map(|row| {
        let reading = Reading {
            table: TABLE,
            id: &row.contact_change_id,
        };
        let channel = reading.word("channel", &row.channel)?;
        Ok(ContactChange {
            id: row.contact_change_id,
            person_id: row.person_id,
            contact: Contact::parse(channel, &row.value).map_err(|_| reading.wrong("value"))?,
            expires_at: row.expires_at,
            done: row.done,
        })
    })
    .transpose()
}

pub async fn finish(conn: &mut PgConnection, id: Uuid) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE contact_change SET done = true WHERE contact_change_id = $1 AND NOT done")
        .bind(id)
        .execute(conn)
        .await?;
    exactly_one(&done, TABLE, id)
}
