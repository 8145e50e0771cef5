//! What happened to an order, for those who may see it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::store::StoreError;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub sequence: i64,
    pub at: DateTime<Utc>,
    /// The event's name, such as `OrderPaid`.
    pub event: String,
    pub line_ids: Vec<Uuid>,
}

/// Writes a step down.
///
/// # Errors
/// [`StoreError`].
pub async fn add(conn: &mut PgConnection, order_id: Uuid, entry: &Entry) -> Result<(), StoreError> {
    let sql = "INSERT INTO order_history (order_id, sequence, happened_at, event, line_ids) VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(sql)
        .bind(order_id)
        .bind(entry.sequence)
        .bind(entry.at)
        .bind(&entry.event)
        .bind(Json(&entry.line_ids))
        .execute(conn)
        .await?;
    Ok(())
}

/// The steps of an order, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of(conn: &mut PgConnection, order_id: Uuid) -> Result<Vec<Entry>, StoreError> {
    let sql = "SELECT sequence, happened_at, event, line_ids FROM order_history WHERE order_id = $1 ORDER BY sequence";
    type Row = (i64, DateTime<Utc>, String, Json<Vec<Uuid>>);
    let rows: Vec<Row> = sqlx::query_as(sql).bind(order_id).fetch_all(conn).await?;
    let entry = |(sequence, at, event, Json(line_ids))| Entry {
        sequence,
        at,
        event,
        line_ids,
    };
    Ok(rows.into_iter().map(entry).collect())
}
