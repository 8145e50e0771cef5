//! Tables `payable`, `payable_item`, `attempt`, `refund` and `reversal`: a book is read and written whole.

mod save;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;
use super::rows::{AttemptRow, ItemRow, PayableRow, RefundRow, ReversalRow};
use crate::domain::book::Book;
pub use save::{insert, save};

/// The book of a payable.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, payable_id: Uuid) -> Result<Option<Book>, StoreError> {
    Ok(find_all(conn, &[payable_id]).await?.pop())
}

/// The book of a payable, locked until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(conn: &mut PgConnection, payable_id: Uuid) -> Result<Option<Book>, StoreError> {
    sqlx::query("SELECT id FROM payable WHERE id = $1 FOR UPDATE")
        .bind(payable_id)
        .fetch_optional(&mut *conn)
        .await?;
    // In a statement of its own: what was waited for is seen.
    find(conn, payable_id).await
}

/// The payable that an owner calls so.
///
/// # Errors
/// [`StoreError`].
pub async fn id_of_reference(
    conn: &mut PgConnection,
    owner: &str,
    reference: &str,
) -> Result<Option<Uuid>, StoreError> {
    let id = sqlx::query_scalar("SELECT id FROM payable WHERE owner = $1 AND owner_reference = $2")
        .bind(owner)
        .bind(reference)
        .fetch_optional(conn)
        .await?;
    Ok(id)
}

/// The payable of an attempt.
///
/// # Errors
/// [`StoreError`].
pub async fn id_of_attempt(conn: &mut PgConnection, attempt_id: Uuid) -> Result<Option<Uuid>, StoreError> {
    let id = sqlx::query_scalar("SELECT payable_id FROM attempt WHERE id = $1")
        .bind(attempt_id)
        .fetch_optional(conn)
        .await?;
    Ok(id)
}

/// What of an owner's payables a list shows.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub from: Option<DateTime<Utc>>,
    pub before: Option<DateTime<Utc>>,
    /// Continues after this id.
    pub after: Option<Uuid>,
    pub limit: i64,
}

/// Payables of an owner in the order of their opening.
///
/// # Errors
/// [`StoreError`].
pub async fn list(conn: &mut PgConnection, owner: &str, span: Span) -> Result<Vec<Book>, StoreError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM payable
         WHERE owner = $1 AND ($2::timestamptz IS NULL OR created_at >= $2) AND ($3::timestamptz IS NULL OR created_at < $3)
             AND ($4::uuid IS NULL OR id > $4)
         ORDER BY id LIMIT $5",
    )
    .bind(owner)
    .bind(span.from)
    .bind(span.before)
    .bind(span.after)
    .bind(span.limit)
    .fetch_all(&mut *conn)
    .await?;
    find_all(conn, &ids).await
}

/// Attempts of an owner's payables, with their payables, in the order of the attempts' start.
///
/// # Errors
/// [`StoreError`].
pub async fn list_attempts(
    conn: &mut PgConnection,
    owner: &str,
    span: Span,
) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let ids = sqlx::query_as(
        "SELECT attempt.id, payable.id FROM attempt JOIN payable ON payable.id = attempt.payable_id
         WHERE owner = $1 AND ($2::timestamptz IS NULL OR payable.created_at >= $2)
             AND ($3::timestamptz IS NULL OR payable.created_at < $3) AND ($4::uuid IS NULL OR attempt.id > $4)
         ORDER BY attempt.id LIMIT $5",
    )
    .bind(owner)
    .bind(span.from)
    .bind(span.before)
    .bind(span.after)
    .bind(span.limit)
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// Open payables whose time has passed, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn expired(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let ids = sqlx::query_scalar(
        "SELECT id FROM payable WHERE state = 'OPEN' AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// Several books, in the order of their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn find_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Book>, StoreError> {
    let payables: Vec<PayableRow> = sqlx::query_as("SELECT * FROM payable WHERE id = ANY ($1) ORDER BY id")
        .bind(ids)
        .fetch_all(&mut *conn)
        .await?;
    let mut items = grouped(
        sqlx::query_as(
            "SELECT * FROM payable_item WHERE payable_id = ANY ($1) ORDER BY payable_id, position",
        )
        .bind(ids)
        .fetch_all(&mut *conn)
        .await?,
        |row: &ItemRow| row.payable_id,
    );
    let mut attempts = grouped(
        sqlx::query_as("SELECT * FROM attempt WHERE payable_id = ANY ($1) ORDER BY created_at, id")
            .bind(ids)
            .fetch_all(&mut *conn)
            .await?,
        |row: &AttemptRow| row.payable_id,
    );
    let mut refunds = grouped(
        sqlx::query_as("SELECT * FROM refund WHERE payable_id = ANY ($1) ORDER BY created_at, id")
            .bind(ids)
            .fetch_all(&mut *conn)
            .await?,
        |row: &RefundRow| row.payable_id,
    );
    let mut reversals = grouped(
        sqlx::query_as("SELECT * FROM reversal WHERE payable_id = ANY ($1) ORDER BY created_at, id")
            .bind(ids)
            .fetch_all(conn)
            .await?,
        |row: &ReversalRow| row.payable_id,
    );
    let mut books = Vec::with_capacity(payables.len());
    for payable in payables {
        let id = payable.id;
        let items = taken(&mut items, id).into_iter().map(Into::into).collect();
        books.push(Book {
            payable: payable.payable(items)?,
            attempts: converted(taken(&mut attempts, id))?,
            refunds: converted(taken(&mut refunds, id))?,
            reversals: converted(taken(&mut reversals, id))?,
        });
    }
    Ok(books)
}

fn grouped<T>(rows: Vec<T>, key: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<T>> {
    let mut groups: HashMap<Uuid, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

fn taken<T>(groups: &mut HashMap<Uuid, Vec<T>>, id: Uuid) -> Vec<T> {
    groups.remove(&id).unwrap_or_default()
}

fn converted<R, T: TryFrom<R, Error = StoreError>>(rows: Vec<R>) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(T::try_from).collect()
}
