//! Table `fee`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::StoreError;

/// A fee from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFee {
    pub office_id: Uuid,
    pub kind: String,
    pub fee_centimes: i64,
    pub valid_from: DateTime<Utc>,
    pub set_by: Uuid,
}

/// The fees in force at an office by kind of document; a kind that is not there costs nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn in_force(
    conn: &mut PgConnection,
    office_id: Uuid,
    at: DateTime<Utc>,
) -> Result<HashMap<String, i64>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT DISTINCT ON (kind) kind, fee_centimes FROM fee WHERE office_id = $1 AND valid_from <= $2
         ORDER BY kind, valid_from DESC, id DESC",
    )
    .bind(office_id)
    .bind(at)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Adds a fee.
///
/// # Errors
/// [`StoreError`].
pub async fn add(
    conn: &mut PgConnection,
    fee_id: Uuid,
    fee: &NewFee,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO fee (fee_id, office_id, kind, fee_centimes, valid_from, set_by, set_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(fee_id)
    .bind(fee.office_id)
    .bind(&fee.kind)
    .bind(fee.fee_centimes)
    .bind(fee.valid_from)
    .bind(fee.set_by)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}
