//! What the audit reads of this service's own books.

use std::collections::HashMap;

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::store::StoreError;

/// What a line says of its money.
#[derive(Debug, Clone, FromRow)]
pub struct LineBook {
    pub id: Uuid,
    pub order_id: Uuid,
    pub state: String,
    pub amount: i64,
    pub paid: bool,
    pub refunded_centimes: i64,
}

/// An order and its lines.
#[derive(Debug, Clone)]
pub struct OrderBook {
    pub total_centimes: i64,
    pub payable_id: Option<Uuid>,
    pub lines: Vec<LineBook>,
}

/// Orders by their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn orders(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, OrderBook>, StoreError> {
    let sql = "SELECT id, total_centimes, payable_id FROM customer_order WHERE id = ANY($1)";
    let heads: Vec<(Uuid, i64, Option<Uuid>)> = sqlx::query_as(sql).bind(ids).fetch_all(&mut *conn).await?;
    let sql = "SELECT id, order_id, state, amount, paid_at IS NOT NULL AS paid, refunded_centimes
               FROM order_line WHERE order_id = ANY($1) ORDER BY id";
    let lines: Vec<LineBook> = sqlx::query_as(sql).bind(ids).fetch_all(conn).await?;
    let mut books: HashMap<Uuid, OrderBook> = heads
        .into_iter()
        .map(|(id, total_centimes, payable_id)| {
            let book = OrderBook {
                total_centimes,
                payable_id,
                lines: Vec::new(),
            };
            (id, book)
        })
        .collect();
    for line in lines {
        if let Some(book) = books.get_mut(&line.order_id) {
            book.lines.push(line);
        }
    }
    Ok(books)
}

/// Orders that payment knows of, after `after`, by id: order and payable.
///
/// # Errors
/// [`StoreError`].
pub async fn payables(
    conn: &mut PgConnection,
    after: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let sql = "SELECT id, payable_id FROM customer_order WHERE payable_id IS NOT NULL AND id > $1 ORDER BY id LIMIT $2";
    Ok(sqlx::query_as(sql)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

/// A parcel and its lines.
#[derive(Debug, Clone, FromRow)]
pub struct ParcelBook {
    pub id: Uuid,
    pub shipment_id: Option<Uuid>,
    /// Lines that the post holds or held.
    pub posted: i64,
    /// Lines that wait for the post.
    pub waiting: i64,
}

const PARCELS: &str = "SELECT p.id, p.shipment_id,
        count(l.id) FILTER (WHERE l.state <> 'PRODUCED') AS posted, count(l.id) FILTER (WHERE l.state = 'PRODUCED') AS waiting
    FROM parcel p LEFT JOIN order_line l ON l.parcel_id = p.id";

/// Parcels by their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn parcels(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<ParcelBook>, StoreError> {
    let sql = format!("{PARCELS} WHERE p.id = ANY($1) GROUP BY p.id ORDER BY p.id");
    let found = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(ids);
    Ok(found.fetch_all(conn).await?)
}

/// Parcels that postal-shipping knows of, after `after`, by id.
///
/// # Errors
/// [`StoreError`].
pub async fn shipped(conn: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT id FROM parcel WHERE shipment_id IS NOT NULL AND id > $1 ORDER BY id LIMIT $2";
    Ok(sqlx::query_scalar(sql)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

/// A line with a document at signature.
#[derive(Debug, Clone, FromRow)]
pub struct DocumentBook {
    pub id: Uuid,
    pub sealed: bool,
    pub produced: bool,
}

const DOCUMENTS: &str = "SELECT id, coalesce((document->>'sealed')::boolean, false) AS sealed, produced_at IS NOT NULL AS produced FROM order_line";

/// Lines by their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn documents(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<DocumentBook>, StoreError> {
    let sql = format!("{DOCUMENTS} WHERE id = ANY($1) ORDER BY id");
    let found = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(ids);
    Ok(found.fetch_all(conn).await?)
}

/// Lines of which the document is sealed, after `after`, by id.
///
/// # Errors
/// [`StoreError`].
pub async fn sealed(conn: &mut PgConnection, after: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let sql =
        "SELECT id FROM order_line WHERE (document->>'sealed')::boolean AND id > $1 ORDER BY id LIMIT $2";
    Ok(sqlx::query_scalar(sql)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}
