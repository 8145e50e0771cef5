//! Number ranges, and the numbers they give.

use chrono::{DateTime, Utc};
use sqlx::postgres::types::PgRange;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{Broken, StoreError, broken_constraint};
use crate::domain::number_range::{NumberRange, Span, Stock};
use crate::domain::vocabulary::Product;

const OVERLAP: &str = "number_range_overlap";

macro_rules! columns {
    () => {
        "id, version, service_indicator, country_code, first_serial, last_serial, next_serial, product, created_at"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    version: i64,
    service_indicator: String,
    country_code: String,
    first_serial: i32,
    last_serial: i32,
    next_serial: i32,
    product: String,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for NumberRange {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let broken = Broken {
            table: "number_range",
            id: row.id,
        };
        let serial = |column, serial: i32| u32::try_from(serial).map_err(|_| broken.column(column));
        let (first, last) = (
            serial("first_serial", row.first_serial)?,
            serial("last_serial", row.last_serial)?,
        );
        Ok(Self {
            id: row.id,
            version: row.version,
            span: Span::parse(&row.service_indicator, &row.country_code, first, last)
                .map_err(|_| broken.column("service_indicator"))?,
            product: Product::parse(&row.product).ok_or_else(|| broken.column("product"))?,
            next: serial("next_serial", row.next_serial)?,
            created_at: row.created_at,
        })
    }
}

/// Whether a range could be added.
#[derive(Debug)]
pub enum Inserted {
    Done,
    /// It overlaps another, in use or spent.
    Overlaps,
}

/// Locks the numbering of a product: whoever holds it gives numbers. Says whether it was told that they run low.
///
/// # Errors
/// [`StoreError`].
pub async fn lock_numbering(conn: &mut PgConnection, product: Product) -> Result<bool, StoreError> {
    let (low_warned,) = sqlx::query_as("SELECT low_warned FROM numbering WHERE product = $1 FOR UPDATE")
        .bind(product.as_str())
        .fetch_one(conn)
        .await?;
    Ok(low_warned)
}

/// Notes whether it was told that the numbers run low.
///
/// # Errors
/// [`StoreError`].
pub async fn set_low_warned(
    conn: &mut PgConnection,
    product: Product,
    low_warned: bool,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE numbering SET low_warned = $2 WHERE product = $1")
        .bind(product.as_str())
        .bind(low_warned)
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds a range. An overlap breaks the transaction only to the savepoint set here.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, range: &NumberRange) -> Result<Inserted, StoreError> {
    let mut savepoint = sqlx::Connection::begin(conn).await?;
    let (from, to) = range.span.places();
    let text = |pair: [u8; 2]| pair.map(char::from).iter().collect::<String>();
    let done = sqlx::query(
        "INSERT INTO number_range (id, version, service_indicator, country_code, first_serial, last_serial, next_serial, product, span,
            created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(range.id)
    .bind(range.version)
    .bind(text(range.span.service))
    .bind(text(range.span.country))
    .bind(range.span.first.cast_signed())
    .bind(range.span.last.cast_signed())
    .bind(range.next.cast_signed())
    .bind(range.product.as_str())
    .bind(PgRange::from(from..=to))
    .bind(range.created_at)
    .execute(&mut *savepoint)
    .await;
    match done {
        Ok(_) => {
            savepoint.commit().await?;
            Ok(Inserted::Done)
        }
        Err(error) if broken_constraint(&error) == Some(OVERLAP) => {
            savepoint.rollback().await?;
            Ok(Inserted::Overlaps)
        }
        Err(error) => Err(error.into()),
    }
}

/// A range that holds numbers of this span.
///
/// # Errors
/// [`StoreError`].
pub async fn overlapping(conn: &mut PgConnection, span: &Span) -> Result<Option<NumberRange>, StoreError> {
    let (from, to) = span.places();
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM number_range WHERE span && $1 ORDER BY span LIMIT 1"
    ))
    .bind(PgRange::from(from..=to))
    .fetch_optional(conn)
    .await?;
    row.map(NumberRange::try_from).transpose()
}

/// Takes the next number of a product: the range after it was taken, whose last given serial is `next - 1`. None where all
/// ranges are spent. The caller holds the lock of the numbering.
///
/// # Errors
/// [`StoreError`].
pub async fn take(conn: &mut PgConnection, product: Product) -> Result<Option<NumberRange>, StoreError> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "UPDATE number_range SET next_serial = next_serial + 1
         WHERE id = (SELECT id FROM number_range WHERE product = $1 AND next_serial <= last_serial ORDER BY created_at, id LIMIT 1)
         RETURNING ",
        columns!()
    ))
    .bind(product.as_str())
    .fetch_optional(conn)
    .await?;
    row.map(NumberRange::try_from).transpose()
}

/// Raises the version of a range, for an event about it.
///
/// # Errors
/// [`StoreError`].
pub async fn raise_version(conn: &mut PgConnection, id: Uuid) -> Result<i64, StoreError> {
    let (version,) =
        sqlx::query_as("UPDATE number_range SET version = version + 1 WHERE id = $1 RETURNING version")
            .bind(id)
            .fetch_one(conn)
            .await?;
    Ok(version)
}

/// What is left of a product.
///
/// # Errors
/// [`StoreError`].
pub async fn stock(conn: &mut PgConnection, product: Product) -> Result<Stock, StoreError> {
    let (left, capacity): (i64, i64) = sqlx::query_as(
        "SELECT coalesce(sum(last_serial - next_serial + 1), 0)::bigint, coalesce(sum(last_serial - first_serial + 1), 0)::bigint
         FROM number_range WHERE product = $1 AND next_serial <= last_serial",
    )
    .bind(product.as_str())
    .fetch_one(conn)
    .await?;
    Ok(Stock {
        left: left.unsigned_abs(),
        capacity: capacity.unsigned_abs(),
    })
}

/// Ranges in order of creation.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    conn: &mut PgConnection,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<NumberRange>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM number_range WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2"
    ))
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(NumberRange::try_from).collect()
}
