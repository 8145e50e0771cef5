//! Deposit lists, their numbers, and their way to the carrier.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::StoreError;
use crate::domain::deposit_list::{DepositList, Hindrance};

macro_rules! columns {
    () => {
        "id, office_id, year, number, handed_over_by, created_at, announced_at IS NOT NULL AS announced, hindrance,
         (SELECT coalesce(array_agg(s.id ORDER BY s.tracking_id), '{}') FROM shipment s WHERE s.deposit_list_id = deposit_list.id) AS shipments"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    office_id: Uuid,
    year: i32,
    number: i32,
    handed_over_by: Option<Uuid>,
    created_at: DateTime<Utc>,
    announced: bool,
    hindrance: Option<String>,
    shipments: Vec<Uuid>,
}

impl TryFrom<Row> for DepositList {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let broken = super::Broken {
            table: "deposit_list",
            id: row.id,
        };
        let hindrance = |word: &String| Hindrance::parse(word).ok_or_else(|| broken.column("hindrance"));
        Ok(Self {
            id: row.id,
            office_id: row.office_id,
            year: row.year,
            number: row.number,
            handed_over_by: row.handed_over_by,
            created_at: row.created_at,
            announced: row.announced,
            hindrance: row.hindrance.as_ref().map(hindrance).transpose()?,
            shipments: row.shipments,
        })
    }
}

/// Takes the next number of an office's year; a transaction that fails gives it back.
///
/// # Errors
/// [`StoreError`].
pub async fn next_number(conn: &mut PgConnection, office_id: Uuid, year: i32) -> Result<i32, StoreError> {
    let (number,) = sqlx::query_as(
        "INSERT INTO deposit_list_counter (office_id, year, last) VALUES ($1, $2, 1)
         ON CONFLICT (office_id, year) DO UPDATE SET last = deposit_list_counter.last + 1 RETURNING last",
    )
    .bind(office_id)
    .bind(year)
    .fetch_one(conn)
    .await?;
    Ok(number)
}

/// Adds a list; its shipments follow.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, list: &DepositList) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO deposit_list (id, office_id, year, number, handed_over_by, created_at, next_attempt_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(list.id)
    .bind(list.office_id)
    .bind(list.year)
    .bind(list.number)
    .bind(list.handed_over_by)
    .bind(list.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// A list.
///
/// # Errors
/// [`StoreError`].
pub async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<DepositList>, StoreError> {
    let row: Option<Row> = sqlx::query_as(concat!("SELECT ", columns!(), " FROM deposit_list WHERE id = $1"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(DepositList::try_from).transpose()
}

/// Lists of an office, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    conn: &mut PgConnection,
    office_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<DepositList>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM deposit_list WHERE office_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
    ))
    .bind(office_id)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(DepositList::try_from).collect()
}

/// Takes the list that has waited longest for its announcement, until `lease`, and says how often it was tried before.
///
/// # Errors
/// [`StoreError`].
pub async fn take_waiting(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
) -> Result<Option<(Uuid, i32)>, StoreError> {
    let taken = sqlx::query_as(
        "UPDATE deposit_list SET attempts = attempts + 1, next_attempt_at = $2
         WHERE id = (SELECT id FROM deposit_list WHERE announced_at IS NULL AND next_attempt_at <= $1
                     ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id, attempts - 1",
    )
    .bind(now)
    .bind(lease)
    .fetch_optional(conn)
    .await?;
    Ok(taken)
}

/// The carrier took it.
///
/// # Errors
/// [`StoreError`].
pub async fn announced(conn: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deposit_list SET announced_at = $2, hindrance = NULL WHERE id = $1 AND announced_at IS NULL",
    )
    .bind(id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The carrier did not take it: when it is tried again, and why it waits.
///
/// # Errors
/// [`StoreError`].
pub async fn waits(
    conn: &mut PgConnection,
    id: Uuid,
    next_attempt_at: DateTime<Utc>,
    hindrance: Hindrance,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deposit_list SET next_attempt_at = $2, hindrance = $3 WHERE id = $1 AND announced_at IS NULL",
    )
    .bind(id)
    .bind(next_attempt_at)
    .bind(hindrance.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// How many lists wait for their announcement.
///
/// # Errors
/// [`StoreError`].
pub async fn count_waiting(conn: &mut PgConnection) -> Result<i64, StoreError> {
    let (count,) = sqlx::query_as("SELECT count(*) FROM deposit_list WHERE announced_at IS NULL")
        .fetch_one(conn)
        .await?;
    Ok(count)
}
