//! Table `administration`.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::administration::Administration;

const TABLE: &str = "administration";

#[derive(sqlx::FromRow)]
struct AdministrationRow {
    administration_id: Uuid,
    version: i64,
    name_ar: String,
    name_fr: String,
    enrolled_from: NaiveDate,
    enrolled_to: Option<NaiveDate>,
    created_at: DateTime<Utc>,
}

impl TryFrom<AdministrationRow> for Administration {
    type Error = StoreError;

    fn try_from(row: AdministrationRow) -> Result<Self, StoreError> {
        let reading = Reading {
            table: TABLE,
            id: &row.administration_id,
        };
        Ok(Self {
            id: row.administration_id,
            version: row.version,
            name_ar: row.name_ar,
            name_fr: row.name_fr,
            enrolled: reading.period("enrolled_to", row.enrolled_from, row.enrolled_to)?,
            created_at: row.created_at,
        })
    }
}

pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Administration>, StoreError> {
    let row: Option<AdministrationRow> =
        sqlx::query_as("SELECT * FROM administration WHERE administration_id = $1")
            .bind(id)
            .fetch_optional(conn)
            .await?;
    row.map(Administration::try_from).transpose()
}

pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Administration>, StoreError> {
    let row: Option<AdministrationRow> =
        sqlx::query_as("SELECT * FROM administration WHERE administration_id = $1 FOR UPDATE")
            .bind(id)
            .fetch_optional(conn)
            .await?;
    row.map(Administration::try_from).transpose()
}

/// Administrations enrolled on a day, oldest first, after `after`.
pub async fn list(
    conn: &mut PgConnection,
    day: NaiveDate,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<Administration>, StoreError> {
    let rows: Vec<AdministrationRow> = sqlx::query_as(
        "SELECT * FROM administration
         WHERE enrolled_from <= $1 AND (enrolled_to IS NULL OR enrolled_to >= $1)
           AND ($2::uuid IS NULL OR administration_id > $2)
         ORDER BY administration_id LIMIT $3",
    )
    .bind(day)
    .bind(after)
    .bind(most)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Administration::try_from).collect()
}

pub async fn insert(conn: &mut PgConnection, administration: &Administration) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO administration (administration_id, version, name_ar, name_fr, enrolled_from, enrolled_to, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(administration.id)
    .bind(administration.version)
    .bind(&administration.name_ar)
    .bind(&administration.name_fr)
    .bind(administration.enrolled.from())
    .bind(administration.enrolled.to())
    .bind(administration.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Saves the next version of a locked administration.
pub async fn save(conn: &mut PgConnection, administration: &Administration) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE administration SET version = $2, name_ar = $3, name_fr = $4, enrolled_to = $5
         WHERE administration_id = $1 AND version = $2 - 1",
    )
    .bind(administration.id)
    .bind(administration.version)
    .bind(&administration.name_ar)
    .bind(&administration.name_fr)
    .bind(administration.enrolled.to())
    .execute(conn)
    .await?;
    exactly_one(&done, TABLE, administration.id)
}
