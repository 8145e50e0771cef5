//! Profiles of offices, batch sheets, hand-overs and reminders.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::address::Address;
use crate::store::StoreError;

/// What an office of civil status is and has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub office_id: Uuid,
    pub province_ar: String,
    pub province_fr: String,
    pub commune_ar: String,
    pub commune_fr: String,
    pub bureau_ar: String,
    pub bureau_fr: String,
    pub email: String,
    /// `ar` or `fr`.
    pub language: String,
    pub address: Address,
    pub signs_by_hand: bool,
    pub electronic_seal_kinds: Vec<String>,
}

#[derive(FromRow)]
struct ProfileRow {
    office_id: Uuid,
    province_ar: String,
    province_fr: String,
    commune_ar: String,
    commune_fr: String,
    bureau_ar: String,
    bureau_fr: String,
    email: String,
    language: String,
    address: Json<Address>,
    signs_by_hand: bool,
    electronic_seal_kinds: Vec<String>,
}

/// The profile of an office.
///
/// # Errors
/// [`StoreError`].
pub async fn profile(conn: &mut PgConnection, office_id: Uuid) -> Result<Option<Profile>, StoreError> {
    let sql = "SELECT * FROM office_profile WHERE office_id = $1";
    let row: Option<ProfileRow> = sqlx::query_as(sql).bind(office_id).fetch_optional(conn).await?;
    Ok(row.map(|row| Profile {
        office_id: row.office_id,
        province_ar: row.province_ar,
        province_fr: row.province_fr,
        commune_ar: row.commune_ar,
        commune_fr: row.commune_fr,
        bureau_ar: row.bureau_ar,
        bureau_fr: row.bureau_fr,
        email: row.email,
        language: row.language,
        address: row.address.0,
        signs_by_hand: row.signs_by_hand,
        electronic_seal_kinds: row.electronic_seal_kinds,
    }))
}

/// Whether an office has a profile.
///
/// # Errors
/// [`StoreError`].
pub async fn has_profile(conn: &mut PgConnection, office_id: Uuid) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT FROM office_profile WHERE office_id = $1)";
    Ok(sqlx::query_scalar(sql).bind(office_id).fetch_one(conn).await?)
}

/// All offices that have a profile.
///
/// # Errors
/// [`StoreError`].
pub async fn with_profile(conn: &mut PgConnection) -> Result<HashSet<Uuid>, StoreError> {
    let found: Vec<Uuid> = sqlx::query_scalar("SELECT office_id FROM office_profile")
        .fetch_all(conn)
        .await?;
    Ok(found.into_iter().collect())
}

/// Of which offices registers have moved, and years before, at and after which they did.
#[derive(Debug, Clone, Default)]
pub struct Moved {
    pub offices: HashSet<Uuid>,
    pub years: BTreeSet<i16>,
}

/// What has moved until a day.
///
/// # Errors
/// [`StoreError`].
pub async fn moved(conn: &mut PgConnection, day: NaiveDate) -> Result<Moved, StoreError> {
    let sql = "SELECT office_id, from_year, to_year FROM register_custody WHERE valid_from <= $1";
    let rows: Vec<(Uuid, Option<i16>, Option<i16>)> = sqlx::query_as(sql).bind(day).fetch_all(conn).await?;
    let mut moved = Moved::default();
    for (office_id, from, to) in rows {
        moved.offices.insert(office_id);
        moved
            .years
            .extend(from.iter().flat_map(|from| [*from, from.saturating_sub(1)]));
        moved
            .years
            .extend(to.iter().flat_map(|to| [*to, to.saturating_add(1)]));
    }
    Ok(moved)
}

/// Writes a profile; gives its version.
///
/// # Errors
/// [`StoreError`].
pub async fn put_profile(
    conn: &mut PgConnection,
    profile: &Profile,
    now: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO office_profile (office_id, province_ar, province_fr, commune_ar, commune_fr, bureau_ar, bureau_fr, email, language,
                   address, signs_by_hand, electronic_seal_kinds, version, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13)
               ON CONFLICT (office_id) DO UPDATE SET province_ar = $2, province_fr = $3, commune_ar = $4, commune_fr = $5, bureau_ar = $6,
                   bureau_fr = $7, email = $8, language = $9, address = $10, signs_by_hand = $11, electronic_seal_kinds = $12,
                   version = office_profile.version + 1, updated_at = $13
               RETURNING version";
    let written = sqlx::query_scalar(sql)
        .bind(profile.office_id)
        .bind(&profile.province_ar)
        .bind(&profile.province_fr)
        .bind(&profile.commune_ar)
        .bind(&profile.commune_fr)
        .bind(&profile.bureau_ar)
        .bind(&profile.bureau_fr)
        .bind(&profile.email)
        .bind(&profile.language)
        .bind(Json(&profile.address))
        .bind(profile.signs_by_hand)
        .bind(&profile.electronic_seal_kinds)
        .bind(now);
    Ok(written.fetch_one(conn).await?)
}

/// A batch sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub id: Uuid,
    pub office_id: Uuid,
    pub year: i32,
    pub number: i32,
    pub line_ids: Vec<Uuid>,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
}

type SheetRow = (Uuid, Uuid, i32, i32, Json<Vec<Uuid>>, Uuid, DateTime<Utc>);

impl From<SheetRow> for Sheet {
    fn from((id, office_id, year, number, Json(line_ids), created_by, created_at): SheetRow) -> Self {
        Self {
            id,
            office_id,
            year,
            number,
            line_ids,
            created_by,
            created_at,
        }
    }
}

/// The next number of an office's sheets in a year; nobody else gets one until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn next_sheet_number(
    conn: &mut PgConnection,
    office_id: Uuid,
    year: i32,
) -> Result<i32, StoreError> {
    let sql = "INSERT INTO batch_sheet_counter (office_id, year, last) VALUES ($1, $2, 1)
               ON CONFLICT (office_id, year) DO UPDATE SET last = batch_sheet_counter.last + 1 RETURNING last";
    let next = sqlx::query_scalar(sql).bind(office_id).bind(year);
    Ok(next.fetch_one(conn).await?)
}

/// Writes a sheet down.
///
/// # Errors
/// [`StoreError`].
pub async fn insert_sheet(conn: &mut PgConnection, sheet: &Sheet) -> Result<(), StoreError> {
    let sql = "INSERT INTO batch_sheet (id, office_id, year, number, line_ids, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(sql)
        .bind(sheet.id)
        .bind(sheet.office_id)
        .bind(sheet.year)
        .bind(sheet.number)
        .bind(Json(&sheet.line_ids))
        .bind(sheet.created_by)
        .bind(sheet.created_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// A sheet by its id.
///
/// # Errors
/// [`StoreError`].
pub async fn sheet(conn: &mut PgConnection, id: Uuid) -> Result<Option<Sheet>, StoreError> {
    let sql =
        "SELECT id, office_id, year, number, line_ids, created_by, created_at FROM batch_sheet WHERE id = $1";
    let row: Option<SheetRow> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    Ok(row.map(Sheet::from))
}

/// Sheets of an office, the latest first; those that were drawn up before the one called `after`.
///
/// # Errors
/// [`StoreError`].
pub async fn sheets(
    conn: &mut PgConnection,
    office_id: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Sheet>, StoreError> {
    let sql = "SELECT id, office_id, year, number, line_ids, created_by, created_at FROM batch_sheet
               WHERE office_id = $1 AND ($2::uuid IS NULL OR (year, number) < (SELECT year, number FROM batch_sheet WHERE id = $2))
               ORDER BY year DESC, number DESC LIMIT $3";
    let rows: Vec<SheetRow> = sqlx::query_as(sql)
        .bind(office_id)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(Sheet::from).collect())
}

/// Parcels that were scanned for the post together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    pub id: Uuid,
    pub office_id: Uuid,
    pub person_id: Uuid,
    pub parcel_ids: Vec<Uuid>,
    /// Of these: what postal-shipping does not take, and why.
    pub refused: BTreeMap<Uuid, String>,
    pub deposit_list_id: Option<Uuid>,
}

/// Writes a hand-over down.
///
/// # Errors
/// [`StoreError`].
pub async fn insert_hand_over(
    conn: &mut PgConnection,
    hand_over: &HandOver,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO hand_over (id, office_id, person_id, parcel_ids, created_at) VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(sql)
        .bind(hand_over.id)
        .bind(hand_over.office_id)
        .bind(hand_over.person_id)
        .bind(Json(&hand_over.parcel_ids))
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// A hand-over by its id.
///
/// # Errors
/// [`StoreError`].
pub async fn hand_over(conn: &mut PgConnection, id: Uuid) -> Result<Option<HandOver>, StoreError> {
    type Row = (
        Uuid,
        Uuid,
        Uuid,
        Json<Vec<Uuid>>,
        Json<BTreeMap<Uuid, String>>,
        Option<Uuid>,
    );
    let sql =
        "SELECT id, office_id, person_id, parcel_ids, refused, deposit_list_id FROM hand_over WHERE id = $1";
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    Ok(row.map(
        |(id, office_id, person_id, Json(parcel_ids), Json(refused), deposit_list_id)| HandOver {
            id,
            office_id,
            person_id,
            parcel_ids,
            refused,
            deposit_list_id,
        },
    ))
}

/// Postal-shipping has drawn up its list.
///
/// # Errors
/// [`StoreError`].
pub async fn set_deposit_list(conn: &mut PgConnection, id: Uuid, list: Uuid) -> Result<(), StoreError> {
    let sql = "UPDATE hand_over SET deposit_list_id = $2 WHERE id = $1";
    sqlx::query(sql).bind(id).bind(list).execute(conn).await?;
    Ok(())
}

/// Postal-shipping does not take some parcels, for these reasons.
///
/// # Errors
/// [`StoreError`].
pub async fn set_refused(
    conn: &mut PgConnection,
    id: Uuid,
    refused: &BTreeMap<Uuid, String>,
) -> Result<(), StoreError> {
    let sql = "UPDATE hand_over SET refused = $2 WHERE id = $1";
    sqlx::query(sql)
        .bind(id)
        .bind(Json(refused))
        .execute(conn)
        .await?;
    Ok(())
}

/// Offices that have lines to work on and were not written to on this day: office, waiting lines, late lines.
///
/// # Errors
/// [`StoreError`].
pub async fn without_reminder(
    conn: &mut PgConnection,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, i64, i64)>, StoreError> {
    let sql =
        "SELECT l.office_id, count(*), count(*) FILTER (WHERE l.alerted IS NOT NULL OR l.deadline <= $2)
               FROM order_line l
               WHERE l.state IN ('PAID', 'IN_PRODUCTION')
                 AND NOT EXISTS (SELECT FROM office_reminder r WHERE r.office_id = l.office_id AND r.day = $1)
               GROUP BY l.office_id ORDER BY l.office_id";
    let found = sqlx::query_as(sql).bind(day).bind(now);
    Ok(found.fetch_all(conn).await?)
}

/// Writes a reminder down; gives `false` where the day has one.
///
/// # Errors
/// [`StoreError`].
pub async fn add_reminder(
    conn: &mut PgConnection,
    id: Uuid,
    office_id: Uuid,
    day: NaiveDate,
    (waiting, late): (i32, i32),
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO office_reminder (id, office_id, day, waiting_lines, late_lines) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (office_id, day) DO NOTHING";
    let done = sqlx::query(sql)
        .bind(id)
        .bind(office_id)
        .bind(day)
        .bind(waiting)
        .bind(late)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Waiting and late lines of a reminder.
///
/// # Errors
/// [`StoreError`].
pub async fn reminder(
    conn: &mut PgConnection,
    id: Uuid,
    office_id: Uuid,
) -> Result<Option<(i32, i32)>, StoreError> {
    let sql = "SELECT waiting_lines, late_lines FROM office_reminder WHERE id = $1 AND office_id = $2";
    let found = sqlx::query_as(sql).bind(id).bind(office_id);
    Ok(found.fetch_optional(conn).await?)
}

/// Order, parcel and shipment of each parcel, by order: everybody locks them in this order.
///
/// # Errors
/// [`StoreError`].
pub async fn parcels_of(
    conn: &mut PgConnection,
    parcel_ids: &[Uuid],
) -> Result<Vec<(Uuid, Uuid, Option<Uuid>)>, StoreError> {
    let sql = "SELECT order_id, id, shipment_id FROM parcel WHERE id = ANY($1) ORDER BY order_id, id";
    Ok(sqlx::query_as(sql).bind(parcel_ids).fetch_all(conn).await?)
}
