//! What the audit reads of this service's own books.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use uuid::Uuid;

use crate::store::StoreError;

/// What a line says of itself.
#[derive(Debug, Clone, FromRow)]
pub struct LineBook {
    pub id: Uuid,
    pub order_id: Uuid,
    pub state: String,
    pub amount: i64,
    pub paid: bool,
    pub refunded_centimes: i64,
    pub produced: bool,
    /// It was drawn from a digitised act to be sealed, and nothing went wrong with it.
    pub to_be_sealed: bool,
    pub sealed: bool,
    /// It is in a parcel that was given to the post.
    pub posted: bool,
}

/// An order and its lines.
#[derive(Debug, Clone)]
pub struct OrderBook {
    pub total_centimes: i64,
    pub payable_id: Option<Uuid>,
    pub lines: Vec<LineBook>,
}

type Head = (Uuid, i64, Option<Uuid>);

/// Orders by their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn orders(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, OrderBook>, StoreError> {
    let sql = "SELECT id, total_centimes, payable_id FROM customer_order WHERE id = ANY($1)";
    let heads: Vec<Head> = sqlx::query_as(sql).bind(ids).fetch_all(&mut *conn).await?;
    with_lines(conn, heads).await
}

/// Orders after `after`, by id, and the id of the last of them.
///
/// # Errors
/// [`StoreError`].
pub async fn orders_after(
    conn: &mut PgConnection,
    after: Uuid,
    limit: i64,
) -> Result<Option<(Uuid, HashMap<Uuid, OrderBook>)>, StoreError> {
    let sql = "SELECT id, total_centimes, payable_id FROM customer_order WHERE id > $1 ORDER BY id LIMIT $2";
    let heads: Vec<Head> = sqlx::query_as(sql)
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *conn)
        .await?;
    let Some((last, ..)) = heads.last().copied() else {
        return Ok(None);
    };
    Ok(Some((last, with_lines(conn, heads).await?)))
}

async fn with_lines(
    conn: &mut PgConnection,
    heads: Vec<Head>,
) -> Result<HashMap<Uuid, OrderBook>, StoreError> {
    let ids: Vec<Uuid> = heads.iter().map(|(id, ..)| *id).collect();
    let sql = "SELECT l.id, l.order_id, l.state, l.amount, l.paid_at IS NOT NULL AS paid, l.refunded_centimes,
                      l.produced_at IS NOT NULL AS produced,
                      coalesce(l.path = 'DIGITISED' AND l.document->>'seal_mode' <> 'BY_HAND' AND l.document->>'failure' IS NULL, false)
                          AS to_be_sealed,
                      coalesce((l.document->>'sealed')::boolean, false) AS sealed, p.hand_over_at IS NOT NULL AS posted
               FROM order_line l LEFT JOIN parcel p ON p.id = l.parcel_id WHERE l.order_id = ANY($1) ORDER BY l.id";
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

/// Whose rows are compared, by the id that the other service gave.
#[derive(Debug, Clone, Copy)]
pub enum Named {
    /// Orders by their payables.
    Payables,
    /// Parcels by their shipments.
    Shipments,
    /// Lines by their documents at signature.
    IssuedDocuments,
}

/// Pairs of another service's id and the row that names it, by that id, with `after < id <= upto`.
///
/// # Errors
/// [`StoreError`].
pub async fn named(
    conn: &mut PgConnection,
    named: Named,
    after: Uuid,
    upto: Uuid,
    limit: i64,
) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let (table, column) = match named {
        Named::Payables => ("customer_order", "payable_id"),
        Named::Shipments => ("parcel", "shipment_id"),
        Named::IssuedDocuments => ("order_line", "(document->>'issued_document_id')::uuid"),
    };
    let sql = format!(
        "SELECT {column}, id FROM {table} WHERE {column} > $1 AND {column} <= $2 ORDER BY {column} LIMIT $3"
    );
    let found = sqlx::query_as(AssertSqlSafe(sql))
        .bind(after)
        .bind(upto)
        .bind(limit);
    Ok(found.fetch_all(conn).await?)
}

/// A parcel and its lines.
#[derive(Debug, Clone, FromRow)]
pub struct ParcelBook {
    pub id: Uuid,
    pub shipment_id: Option<Uuid>,
    /// The states of its lines, each once.
    pub states: Vec<String>,
    /// The money of one of them goes back because the post lost it.
    pub lost: bool,
    /// Where the post said it is.
    pub shipment_state: String,
    /// Office and citizen see that the post contradicts itself.
    pub contradictory: bool,
}

/// Parcels by their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn parcels(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<ParcelBook>, StoreError> {
    let sql = "SELECT p.id, p.shipment_id, coalesce(array_agg(DISTINCT l.state) FILTER (WHERE l.id IS NOT NULL), '{}') AS states,
                      coalesce(bool_or(l.end_reason = 'LOST'), false) AS lost, p.shipment_state,
                      p.exception_code = 'CONTRADICTORY_EVENTS' AS contradictory
               FROM parcel p LEFT JOIN order_line l ON l.parcel_id = p.id WHERE p.id = ANY($1) GROUP BY p.id ORDER BY p.id";
    Ok(sqlx::query_as(sql).bind(ids).fetch_all(conn).await?)
}

/// A line and the document that it has at signature.
#[derive(Debug, Clone, FromRow)]
pub struct DocumentBook {
    pub id: Uuid,
    pub issued_document_id: Option<Uuid>,
    pub in_production: bool,
    pub failed: bool,
    pub withdrawing: bool,
    pub sealed: bool,
    pub produced: bool,
}

/// Lines by their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn documents(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<DocumentBook>, StoreError> {
    let sql = "SELECT id, (document->>'issued_document_id')::uuid AS issued_document_id, state = 'IN_PRODUCTION' AS in_production,
                      document->>'failure' IS NOT NULL AS failed, withdrawing IS NOT NULL AS withdrawing,
                      coalesce((document->>'sealed')::boolean, false) AS sealed, produced_at IS NOT NULL AS produced
               FROM order_line WHERE id = ANY($1) ORDER BY id";
    Ok(sqlx::query_as(sql).bind(ids).fetch_all(conn).await?)
}
