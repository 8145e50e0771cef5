//! Lists of an office: lines to work on, parcels, exceptions.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::order::parcel::Parcel;
use crate::domain::reference::{LineReference, Reference};
use crate::domain::state::{LineState, Path};
use crate::store::StoreError;
use crate::store::orders::{PARCEL_COLUMNS, ParcelRow};

/// Which lines.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub offices: Vec<Uuid>,
    pub states: Vec<LineState>,
    pub document_kind: Option<String>,
    pub path: Option<Path>,
    pub assigned_to: Option<Uuid>,
    pub unassigned_only: bool,
    pub late_only: bool,
    pub order: Option<Reference>,
    pub ordinal: Option<u8>,
    /// Orders of this person are left out.
    pub not_of_person: Option<Uuid>,
    /// Deadline and id of the last one shown.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    pub limit: i64,
}

/// A line found: its id, its order, and what it is sorted by.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Found {
    pub id: Uuid,
    pub order_id: Uuid,
    pub sort: DateTime<Utc>,
}

/// Lines by deadline; what has none comes last.
///
/// # Errors
/// [`StoreError`].
pub async fn lines(
    conn: &mut PgConnection,
    filter: &Filter,
    now: DateTime<Utc>,
) -> Result<Vec<Found>, StoreError> {
    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
    let (after_at, after_id) = filter.after.unzip();
    // A date that no deadline has, within what both sides can hold.
    let sql = "SELECT * FROM (
                   SELECT l.id, l.order_id, coalesce(l.deadline, '9999-01-01T00:00:00Z') AS sort
                   FROM order_line l JOIN customer_order o ON o.id = l.order_id
                   WHERE l.office_id = ANY($1) AND l.state = ANY($2) AND ($3::text IS NULL OR l.document_kind = $3)
                     AND ($4::text IS NULL OR coalesce(l.path, CASE WHEN l.act_id IS NULL THEN 'PAPER' ELSE 'DIGITISED' END) = $4)
                     AND ($5::uuid IS NULL OR l.assigned_to = $5) AND (NOT $6 OR l.assigned_to IS NULL)
                     AND (NOT $7 OR l.alerted IS NOT NULL OR l.deadline <= $8)
                     AND ($9::text IS NULL OR o.reference = $9) AND ($10::smallint IS NULL OR l.ordinal = $10)
                     AND ($14::uuid IS NULL OR o.person_id <> $14)) found
               WHERE $11::timestamptz IS NULL OR (sort, id) > ($11, $12)
               ORDER BY sort, id LIMIT $13";
    let found = sqlx::query_as(sql)
        .bind(&filter.offices)
        .bind(states)
        .bind(&filter.document_kind)
        .bind(filter.path.map(Path::as_str))
        .bind(filter.assigned_to)
        .bind(filter.unassigned_only)
        .bind(filter.late_only)
        .bind(now)
        .bind(filter.order.map(|reference| reference.compact()))
        .bind(filter.ordinal.map(i16::from))
        .bind(after_at)
        .bind(after_id)
        .bind(filter.limit)
        .bind(filter.not_of_person);
    Ok(found.fetch_all(conn).await?)
}

/// The statement for parcels that wait for the post.
pub fn waiting_parcels() -> String {
    format!(
        "SELECT {PARCEL_COLUMNS} FROM parcel p
         WHERE p.office_id = $1 AND ($2::uuid IS NULL OR p.id > $2) AND p.hand_over_at IS NULL AND p.shipment_state <> 'CANCELLED'
         ORDER BY p.id LIMIT $3"
    )
}

/// The statement for parcels that are not done with.
pub fn open_parcels() -> String {
    format!(
        "SELECT {PARCEL_COLUMNS} FROM parcel p
         WHERE p.office_id = $1 AND ($2::uuid IS NULL OR p.id > $2)
           AND p.shipment_state NOT IN ('DELIVERED', 'RETURNED', 'LOST', 'CANCELLED')
         ORDER BY p.id LIMIT $3"
    )
}

/// Parcels of an office by id, with their orders; those that wait, or all that are not done with.
///
/// # Errors
/// [`StoreError`].
pub async fn parcels(
    conn: &mut PgConnection,
    office_id: Uuid,
    waiting_only: bool,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<(Uuid, Parcel)>, StoreError> {
    let sql = if waiting_only {
        waiting_parcels()
    } else {
        open_parcels()
    };
    let rows: Vec<ParcelRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(office_id)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.into())).collect())
}

/// Parcels by tracking number, of any office: number, parcel, office, order.
///
/// # Errors
/// [`StoreError`].
pub async fn parcels_by_number(
    conn: &mut PgConnection,
    numbers: &[String],
) -> Result<Vec<(String, Uuid, Uuid, Uuid)>, StoreError> {
    let sql = "SELECT tracking_number, id, office_id, order_id FROM parcel WHERE tracking_number = ANY($1)";
    Ok(sqlx::query_as(sql).bind(numbers).fetch_all(conn).await?)
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    pub order_id: Uuid,
    pub line_id: Uuid,
    pub reference: LineReference,
    pub code: String,
    pub since: DateTime<Utc>,
    pub deadline: Option<DateTime<Utc>>,
}

/// The statement for [`exceptions`]: what is wrong with a line, what is wrong with its parcel, and what an office without a profile is to make,
/// each by an index of its own.
pub const EXCEPTIONS: &str = "
    WITH found AS (
        SELECT l.id FROM order_line l
        WHERE l.office_id = $1 AND (l.alerted IS NOT NULL OR l.refund_failed OR (l.state = 'RETURNED' AND l.deadline IS NOT NULL))
        UNION
        SELECT l.id FROM parcel p JOIN order_line l ON l.parcel_id = p.id
        WHERE p.office_id = $1 AND p.exception_code <> '' AND l.office_id = $1
          AND (l.state IN ('PRODUCED', 'HANDED_OVER', 'REFUNDING') OR l.deadline IS NOT NULL)
        UNION
        SELECT l.id FROM order_line l
        WHERE $5 AND l.office_id = $1 AND l.state IN ('PAID', 'TO_CORRECT', 'IN_PRODUCTION', 'PRODUCED'))
    SELECT l.order_id, l.id, o.reference, l.ordinal,
           CASE WHEN l.refund_failed THEN 'REFUND_FAILED'
                WHEN l.state = 'RETURNED' THEN 'RETURNED'
                WHEN l.alerted IS NOT NULL THEN l.alerted
                WHEN coalesce(p.exception_code, '') <> '' THEN p.exception_code
                ELSE 'OFFICE_PROFILE_MISSING' END,
           l.state_since, l.deadline
    FROM found JOIN order_line l ON l.id = found.id JOIN customer_order o ON o.id = l.order_id LEFT JOIN parcel p ON p.id = l.parcel_id
    WHERE $2::timestamptz IS NULL OR (l.state_since, l.id) > ($2, $3)
    ORDER BY l.state_since, l.id LIMIT $4";

/// Lines of an office that need a person, oldest first; where it is `without_profile`, all that it is to make.
///
/// # Errors
/// [`StoreError`].
pub async fn exceptions(
    conn: &mut PgConnection,
    office_id: Uuid,
    without_profile: bool,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Exception>, StoreError> {
    type Row = (
        Uuid,
        Uuid,
        String,
        i16,
        String,
        DateTime<Utc>,
        Option<DateTime<Utc>>,
    );
    let (after_at, after_id) = after.unzip();
    let rows: Vec<Row> = sqlx::query_as(EXCEPTIONS)
        .bind(office_id)
        .bind(after_at)
        .bind(after_id)
        .bind(limit)
        .bind(without_profile)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|(order_id, line_id, reference, ordinal, code, since, deadline)| {
            let wrong = |column| StoreError::Inconsistent {
                table: "order_line",
                column,
                id: line_id,
            };
            Ok(Exception {
                order_id,
                line_id,
                reference: LineReference {
                    order: Reference::parse(&reference).map_err(|_| wrong("reference"))?,
                    ordinal: u8::try_from(ordinal).map_err(|_| wrong("ordinal"))?,
                },
                code,
                since,
                deadline,
            })
        })
        .collect()
}
