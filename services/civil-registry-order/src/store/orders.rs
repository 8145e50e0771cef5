//! Orders with their lines and parcels.

mod parcels;
mod row;
mod write;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::clue::Clue;
use crate::domain::order::Order;
use crate::domain::reference::{LineReference, Reference};
use crate::store::StoreError;
pub use write::{insert, save_all};

pub(crate) use parcels::COLUMNS as PARCEL_COLUMNS;
pub(crate) use parcels::ParcelRow;

/// One order as it stands.
///
/// # Errors
/// [`StoreError`].
pub async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<Order>, StoreError> {
    Ok(get_all(conn, &[id]).await?.pop())
}

/// One order, which nobody else changes until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Order>, StoreError> {
    Ok(lock_all(conn, &[id]).await?.pop())
}

/// Orders, which nobody else changes until the transaction ends: locked in the order of their ids, and given so. Those that are not there are
/// left out.
///
/// # Errors
/// [`StoreError`].
pub async fn lock_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Order>, StoreError> {
    let sql = const { "SELECT * FROM customer_order WHERE id = ANY($1) ORDER BY id FOR UPDATE" };
    let found: Vec<row::OrderRow> = sqlx::query_as(sql).bind(ids).fetch_all(&mut *conn).await?;
    whole(conn, found).await
}

/// The id of the order with this reference.
///
/// # Errors
/// [`StoreError`].
pub async fn id_of_reference(
    conn: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<Uuid>, StoreError> {
    let sql = "SELECT id FROM customer_order WHERE reference = $1";
    let found = sqlx::query_scalar(sql).bind(reference.compact());
    Ok(found.fetch_optional(conn).await?)
}

/// Ids of line and order of a line's reference.
///
/// # Errors
/// [`StoreError`].
pub async fn ids_of_line_reference(
    conn: &mut PgConnection,
    reference: &LineReference,
) -> Result<Option<(Uuid, Uuid)>, StoreError> {
    let sql = "SELECT l.id, l.order_id FROM order_line l JOIN customer_order o ON o.id = l.order_id
               WHERE o.reference = $1 AND l.ordinal = $2";
    let found = sqlx::query_as(sql)
        .bind(reference.order.compact())
        .bind(i16::from(reference.ordinal));
    Ok(found.fetch_optional(conn).await?)
}

/// The orders of lines: pairs of line and order.
///
/// # Errors
/// [`StoreError`].
pub async fn orders_of_lines(
    conn: &mut PgConnection,
    lines: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let sql = "SELECT id, order_id FROM order_line WHERE id = ANY($1)";
    Ok(sqlx::query_as(sql).bind(lines).fetch_all(conn).await?)
}

/// The orders of parcels: pairs of parcel and order.
///
/// # Errors
/// [`StoreError`].
pub async fn orders_of_parcels(
    conn: &mut PgConnection,
    parcels: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let sql = "SELECT id, order_id FROM parcel WHERE id = ANY($1)";
    Ok(sqlx::query_as(sql).bind(parcels).fetch_all(conn).await?)
}

/// Ids of a person's orders, newest first, from `before` on.
///
/// # Errors
/// [`StoreError`].
pub async fn ids_of_person(
    conn: &mut PgConnection,
    person_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let sql = "SELECT id FROM customer_order WHERE person_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    let found = sqlx::query_scalar(sql).bind(person_id).bind(before).bind(limit);
    Ok(found.fetch_all(conn).await?)
}

/// Several orders, in the order of their ids as given.
///
/// # Errors
/// [`StoreError`].
pub async fn get_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Order>, StoreError> {
    let sql = "SELECT * FROM customer_order WHERE id = ANY($1)";
    let found: Vec<row::OrderRow> = sqlx::query_as(sql).bind(ids).fetch_all(&mut *conn).await?;
    let mut orders = whole(conn, found).await?;
    orders.sort_by_key(|order| ids.iter().position(|id| *id == order.id));
    Ok(orders)
}

/// A line of which the time has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Overdue {
    pub deadline: DateTime<Utc>,
    pub id: Uuid,
    pub order_id: Uuid,
}

/// The statement for [`overdue`], by the index on deadlines.
pub const OVERDUE: &str = "SELECT deadline, id, order_id FROM order_line
    WHERE deadline <= $1 AND (deadline, id) > ($2, $3) ORDER BY deadline, id LIMIT $4";

/// Lines of which the time has run out, the longest ago first, after `after`, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub async fn overdue(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    after: Option<&Overdue>,
    limit: i64,
) -> Result<Vec<Overdue>, StoreError> {
    let found = sqlx::query_as(OVERDUE)
        .bind(now)
        .bind(after.map_or(DateTime::UNIX_EPOCH, |after| after.deadline))
        .bind(after.map_or(Uuid::nil(), |after| after.id))
        .bind(limit);
    Ok(found.fetch_all(conn).await?)
}

/// Rows of orders with their lines and parcels.
async fn whole(conn: &mut PgConnection, rows: Vec<row::OrderRow>) -> Result<Vec<Order>, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines = row::lines(conn, &ids).await?;
    let mut parcels = parcels::of_orders(conn, &ids).await?;
    let order = |row: row::OrderRow| {
        let (lines, parcels) = (lines.remove(&row.id), parcels.remove(&row.id));
        row.order(lines.unwrap_or_default(), parcels.unwrap_or_default())
    };
    rows.into_iter().map(order).collect()
}

/// Order and line of each document that is drawn from this act and not sealed, by order.
///
/// # Errors
/// [`StoreError`].
pub async fn drawn_of_act(conn: &mut PgConnection, act_id: Uuid) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let sql = "SELECT order_id, id FROM order_line
               WHERE act_id = $1 AND state = 'IN_PRODUCTION' AND document IS NOT NULL ORDER BY order_id, ordinal";
    Ok(sqlx::query_as(sql).bind(act_id).fetch_all(conn).await?)
}

/// Files that lines name as their documents, of these keys; and of these tasks those that are not done, each of which may still give its file
/// to a line.
///
/// # Errors
/// [`StoreError`].
pub async fn documents_named(
    conn: &mut PgConnection,
    keys: &[String],
    tasks: &[Uuid],
) -> Result<(Vec<String>, Vec<Uuid>), StoreError> {
    // One statement: a task is done in the same instant in which its line names the file.
    let sql =
        "SELECT document->>'object_key', NULL::uuid FROM order_line WHERE document->>'object_key' = ANY($1)
               UNION ALL SELECT NULL, id FROM outward WHERE id = ANY($2) AND state = 'PENDING'";
    let rows: Vec<(Option<String>, Option<Uuid>)> =
        sqlx::query_as(sql).bind(keys).bind(tasks).fetch_all(conn).await?;
    let (named, pending): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    Ok((
        named.into_iter().flatten().collect(),
        pending.into_iter().flatten().collect(),
    ))
}

/// A line that waits at an office which has given registers away, or has some of others.
#[derive(Debug, Clone, FromRow)]
pub struct Waiting {
    pub order_id: Uuid,
    pub id: Uuid,
    pub office_id: Uuid,
    pub clue: Json<Clue>,
}

/// Lines that may be at an office which does not hold their register any more, by order.
///
/// # Errors
/// [`StoreError`].
pub async fn at_offices_with_moves(conn: &mut PgConnection) -> Result<Vec<Waiting>, StoreError> {
    let sql = "SELECT l.order_id, l.id, l.office_id, l.clue FROM order_line l
               JOIN document_kind k ON k.id = l.kind_id
               WHERE l.state IN ('PAID', 'TO_CORRECT') AND k.routing = 'OFFICE_OF_REGISTRATION'
                 AND l.office_id IN (SELECT office_id FROM register_custody UNION SELECT held_by FROM register_custody)
               ORDER BY l.order_id, l.ordinal";
    Ok(sqlx::query_as(sql).fetch_all(conn).await?)
}
