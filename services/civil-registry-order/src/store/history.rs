//! What happened to an order, for those who may see it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::store::{StoreError, each};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub sequence: i64,
    pub at: DateTime<Utc>,
    /// The event's name, such as `OrderPaid`.
    pub event: String,
    pub line_ids: Vec<Uuid>,
}

/// Writes steps of orders down.
///
/// # Errors
/// [`StoreError`].
pub async fn add_all(conn: &mut PgConnection, steps: &[(Uuid, Entry)]) -> Result<(), StoreError> {
    if steps.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO order_history (order_id, sequence, happened_at, event, line_ids)
               SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::jsonb[])";
    sqlx::query(sql)
        .bind(each(steps, |(order, _)| *order))
        .bind(each(steps, |(_, entry)| entry.sequence))
        .bind(each(steps, |(_, entry)| entry.at))
        .bind(each(steps, |(_, entry)| entry.event.as_str()))
        .bind(each(steps, |(_, entry)| Json(&entry.line_ids)))
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
