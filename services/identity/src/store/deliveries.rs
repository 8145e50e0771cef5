//! Table `delivery`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::delivery::Delivery;
use crate::domain::vocabulary::Word;

const TABLE: &str = "delivery";

#[derive(sqlx::FromRow)]
struct DeliveryRow {
    delivery_id: Uuid,
    kind: String,
    channel: String,
    language: String,
    sealed: Option<Vec<u8>>,
    silent: bool,
    expires_at: DateTime<Utc>,
    taken_by: Option<Uuid>,
}

impl DeliveryRow {
    fn read(self) -> Result<(Delivery, Option<Vec<u8>>), StoreError> {
        let reading = Reading {
            table: TABLE,
            id: &self.delivery_id,
        };
        let delivery = Delivery {
            id: self.delivery_id,
            kind: reading.word("kind", &self.kind)?,
            channel: reading.word("channel", &self.channel)?,
            language: reading.word("language", &self.language)?,
            silent: self.silent,
            expires_at: self.expires_at,
            taken_by: self.taken_by,
        };
        Ok((delivery, self.sealed))
    }
}

pub async fn insert(conn: &mut PgConnection, delivery: &Delivery, sealed: &[u8]) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO delivery (delivery_id, kind, channel, language, sealed, expires_at, silent)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(delivery.id)
    .bind(delivery.kind.as_str())
    .bind(delivery.channel.as_str())
    .bind(delivery.language.as_str())
    .bind(sealed)
    .bind(delivery.expires_at)
    .bind(delivery.silent)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Delivery>, StoreError> {
    let row: Option<DeliveryRow> = sqlx::query_as(
        "SELECT delivery_id, kind, channel, language, NULL::bytea AS sealed, silent, expires_at, taken_by
         FROM delivery WHERE delivery_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    Ok(row
        .map(DeliveryRow::read)
        .transpose()?
        .map(|(delivery, _)| delivery))
}

/// The delivery, locked, and its sealed content, absent once it was erased.
pub async fn lock(
    conn: &mut PgConnection,
    id: Uuid,
) -> Result<Option<(Delivery, Option<Vec<u8>>)>, StoreError> {
    let row: Option<DeliveryRow> = sqlx::query_as(
        "SELECT delivery_id, kind, channel, language, sealed, silent, expires_at, taken_by
         FROM delivery WHERE delivery_id = $1 FOR UPDATE",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.map(DeliveryRow::read).transpose()
}

/// Notes who took a locked delivery.
pub async fn save_taken(
    conn: &mut PgConnection,
    delivery: &Delivery,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE delivery SET taken_by = $2, taken_at = coalesce(taken_at, $3) WHERE delivery_id = $1",
    )
    .bind(delivery.id)
    .bind(delivery.taken_by)
    .bind(now)
    .execute(conn)
    .await?;
    exactly_one(&done, TABLE, delivery.id)
}
