//! Shipments.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;
use wathiq_chassis::civil_date;

use super::{Broken, StoreError};
use crate::domain::delivery::Proof;
use crate::domain::name::PartyName;
use crate::domain::party::Party;
use crate::domain::shipment::{Claim, Handover, Settlement, Shipment};
use crate::domain::tracking::Tracking;
use crate::domain::tracking_id::TrackingId;
use crate::domain::vocabulary::{Exception, Product, State};

const TABLE: &str = "shipment";

macro_rules! columns {
    () => {
        "id, version, owner, owner_reference, content, office_id, product, tracking_id, sender, addressee, mandataries, sheets, created_at,
         updated_at, deposit_list_id, handed_over_at, cancelled_at, claim_opened_at, claim_note, claim_settled_at, claim_lost, claim_answer,
         silent, last_event_at, state, attempts, held_until, proof, exception"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    version: i64,
    owner: String,
    owner_reference: String,
    content: Vec<u8>,
    office_id: Uuid,
    product: String,
    tracking_id: String,
    sender: Json<Party>,
    addressee: Json<Party>,
    mandataries: Json<Vec<PartyName>>,
    sheets: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deposit_list_id: Option<Uuid>,
    handed_over_at: Option<DateTime<Utc>>,
    cancelled_at: Option<DateTime<Utc>>,
    claim_opened_at: Option<DateTime<Utc>>,
    claim_note: Option<String>,
    claim_settled_at: Option<DateTime<Utc>>,
    claim_lost: Option<bool>,
    claim_answer: Option<String>,
    silent: bool,
    last_event_at: Option<DateTime<Utc>>,
    state: String,
    attempts: i32,
    held_until: Option<NaiveDate>,
    proof: Option<Json<Proof>>,
    exception: Option<String>,
}

impl Row {
    fn claim(&self) -> Option<Claim> {
        let settlement = || {
            Some(Settlement {
                at: self.claim_settled_at?,
                lost: self.claim_lost?,
                note: self.claim_answer.clone()?,
            })
        };
        Some(Claim {
            opened_at: self.claim_opened_at?,
            note: self.claim_note.clone()?,
            settlement: settlement(),
        })
    }

    fn handover(&self) -> Option<Handover> {
        Some(Handover {
            deposit_list_id: self.deposit_list_id?,
            at: self.handed_over_at?,
        })
    }

    fn tracking(&self, broken: &Broken) -> Result<Tracking, StoreError> {
        let exception = |word: &String| Exception::parse(word).ok_or_else(|| broken.column("exception"));
        Ok(Tracking {
            state: State::parse(&self.state).ok_or_else(|| broken.column("state"))?,
            attempts: u32::try_from(self.attempts).map_err(|_| broken.column("attempts"))?,
            held_until: self.held_until,
            proof: self.proof.as_ref().map(|proof| proof.0.clone()),
            exception: self.exception.as_ref().map(exception).transpose()?,
        })
    }
}

impl TryFrom<Row> for Shipment {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let broken = Broken {
            table: TABLE,
            id: row.id,
        };
        Ok(Self {
            id: row.id,
            version: row.version,
            handover: row.handover(),
            claim: row.claim(),
            tracking: row.tracking(&broken)?,
            content: row.content.try_into().map_err(|_| broken.column("content"))?,
            product: Product::parse(&row.product).ok_or_else(|| broken.column("product"))?,
            tracking_id: TrackingId::parse(&row.tracking_id).map_err(|_| broken.column("tracking_id"))?,
            owner: row.owner,
            owner_reference: row.owner_reference,
            office_id: row.office_id,
            sender: row.sender.0,
            addressee: row.addressee.0,
            mandataries: row.mandataries.0,
            sheets: row.sheets,
            created_at: row.created_at,
            updated_at: row.updated_at,
            cancelled_at: row.cancelled_at,
            silent: row.silent,
            last_event_at: row.last_event_at,
        })
    }
}

fn all(rows: Vec<Row>) -> Result<Vec<Shipment>, StoreError> {
    rows.into_iter().map(Shipment::try_from).collect()
}

/// Lets one transaction at a time create the shipment of an owner's reference.
///
/// # Errors
/// [`StoreError`].
pub async fn lock_reference(conn: &mut PgConnection, owner: &str, reference: &str) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("{owner}/{reference}"))
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds a new shipment.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, shipment: &Shipment) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO shipment (id, version, owner, owner_reference, content, office_id, product, tracking_id, sender, addressee, mandataries,
            sheets, created_at, updated_at, silent, state, attempts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0)",
    )
    .bind(shipment.id)
    .bind(shipment.version)
    .bind(&shipment.owner)
    .bind(&shipment.owner_reference)
    .bind(shipment.content.as_slice())
    .bind(shipment.office_id)
    .bind(shipment.product.as_str())
    .bind(shipment.tracking_id.to_string())
    .bind(Json(&shipment.sender))
    .bind(Json(&shipment.addressee))
    .bind(Json(&shipment.mandataries))
    .bind(shipment.sheets)
    .bind(shipment.created_at)
    .bind(shipment.updated_at)
    .bind(shipment.silent)
    .bind(shipment.state().as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// Saves what changed since `read_version`.
///
/// # Errors
/// [`StoreError`]; a lost race when the row is no longer at that version.
pub async fn save(conn: &mut PgConnection, shipment: &Shipment, read_version: i64) -> Result<(), StoreError> {
    let claim = shipment.claim.as_ref();
    let settlement = claim.and_then(|claim| claim.settlement.as_ref());
    let tracking = &shipment.tracking;
    let done = sqlx::query(
        "UPDATE shipment SET version = $3, updated_at = $4, deposit_list_id = $5, handed_over_at = $6, cancelled_at = $7, claim_opened_at = $8,
            claim_note = $9, claim_settled_at = $10, claim_lost = $11, claim_answer = $12, silent = $13, last_event_at = $14, state = $15,
            attempts = $16, held_until = $17, proof = $18, exception = $19
         WHERE id = $1 AND version = $2",
    )
    .bind(shipment.id)
    .bind(read_version)
    .bind(shipment.version)
    .bind(shipment.updated_at)
    .bind(shipment.handover.map(|handover| handover.deposit_list_id))
    .bind(shipment.handover.map(|handover| handover.at))
    .bind(shipment.cancelled_at)
    .bind(claim.map(|claim| claim.opened_at))
    .bind(claim.map(|claim| &claim.note))
    .bind(settlement.map(|settlement| settlement.at))
    .bind(settlement.map(|settlement| settlement.lost))
    .bind(settlement.map(|settlement| &settlement.note))
    .bind(shipment.silent)
    .bind(shipment.last_event_at)
    .bind(tracking.state.as_str())
    .bind(i32::try_from(tracking.attempts).unwrap_or(i32::MAX))
    .bind(tracking.held_until)
    .bind(tracking.proof.as_ref().map(Json))
    .bind(tracking.exception.map(Exception::as_str))
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::LostRace {
            table: TABLE,
            id: shipment.id,
        })
    }
}

/// Shipments by id, in order of id, locked where they are to be changed.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Shipment>, StoreError> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM shipment WHERE id = ANY($1) ORDER BY id FOR UPDATE"
    ))
    .bind(ids)
    .fetch_all(conn)
    .await?;
    all(rows)
}

/// As [`lock`], by number.
///
/// # Errors
/// [`StoreError`].
pub async fn lock_by_number(
    conn: &mut PgConnection,
    numbers: &[TrackingId],
) -> Result<Vec<Shipment>, StoreError> {
    let numbers: Vec<String> = numbers.iter().map(TrackingId::to_string).collect();
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM shipment WHERE tracking_id = ANY($1) ORDER BY id FOR UPDATE"
    ))
    .bind(numbers)
    .fetch_all(conn)
    .await?;
    all(rows)
}

/// Shipments by id, in order of id.
///
/// # Errors
/// [`StoreError`].
pub async fn get(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Shipment>, StoreError> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM shipment WHERE id = ANY($1) ORDER BY id"
    ))
    .bind(ids)
    .fetch_all(conn)
    .await?;
    all(rows)
}

/// A shipment by its number.
///
/// # Errors
/// [`StoreError`].
pub async fn by_number(conn: &mut PgConnection, number: TrackingId) -> Result<Option<Shipment>, StoreError> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM shipment WHERE tracking_id = $1"
    ))
    .bind(number.to_string())
    .fetch_optional(conn)
    .await?;
    row.map(Shipment::try_from).transpose()
}

/// A shipment by its owner's reference.
///
/// # Errors
/// [`StoreError`].
pub async fn by_reference(
    conn: &mut PgConnection,
    owner: &str,
    reference: &str,
) -> Result<Option<Shipment>, StoreError> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM shipment WHERE owner = $1 AND owner_reference = $2"
    ))
    .bind(owner)
    .bind(reference)
    .fetch_optional(conn)
    .await?;
    row.map(Shipment::try_from).transpose()
}

/// What a deposit list holds, in order of number.
///
/// # Errors
/// [`StoreError`].
pub async fn of_deposit_list(conn: &mut PgConnection, id: Uuid) -> Result<Vec<Shipment>, StoreError> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM shipment WHERE deposit_list_id = $1 ORDER BY tracking_id"
    ))
    .bind(id)
    .fetch_all(conn)
    .await?;
    all(rows)
}

/// Which shipments of an owner are asked for.
#[derive(Debug, Clone, Copy)]
pub struct OwnersPage<'a> {
    pub owner: &'a str,
    pub from: Option<DateTime<Utc>>,
    pub before: Option<DateTime<Utc>>,
    pub after: Option<Uuid>,
    pub limit: i64,
}

/// Shipments of an owner in order of creation.
///
/// # Errors
/// [`StoreError`].
pub async fn list_of_owner(
    conn: &mut PgConnection,
    page: OwnersPage<'_>,
) -> Result<Vec<Shipment>, StoreError> {
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM shipment WHERE owner = $1 AND ($2::timestamptz IS NULL OR created_at >= $2)
            AND ($3::timestamptz IS NULL OR created_at < $3) AND ($4::uuid IS NULL OR id > $4)
          ORDER BY id LIMIT $5"
    ))
    .bind(page.owner)
    .bind(page.from)
    .bind(page.before)
    .bind(page.after)
    .bind(page.limit)
    .fetch_all(conn)
    .await?;
    all(rows)
}

/// Which shipments of an office are asked for.
#[derive(Debug, Clone)]
pub struct OfficesPage {
    pub office_id: Uuid,
    /// Empty: all.
    pub states: Vec<State>,
    pub exceptions_only: bool,
    pub after: Option<Uuid>,
    pub limit: i64,
}

/// Shipments of an office, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn list_of_office(
    conn: &mut PgConnection,
    page: &OfficesPage,
) -> Result<Vec<Shipment>, StoreError> {
    let states: Vec<&str> = page.states.iter().map(|state| state.as_str()).collect();
    let rows = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM shipment WHERE office_id = $1 AND (cardinality($2::text[]) = 0 OR state = ANY($2))
            AND (NOT $3 OR exception IS NOT NULL) AND ($4::uuid IS NULL OR id > $4)
          ORDER BY id LIMIT $5"
    ))
    .bind(page.office_id)
    .bind(states)
    .bind(page.exceptions_only)
    .bind(page.after)
    .bind(page.limit)
    .fetch_all(conn)
    .await?;
    all(rows)
}

/// Ids of shipments on their way that were last heard of before `before`, and not held for collection on its day or after; other
/// processes' ones are left out.
///
/// # Errors
/// [`StoreError`].
pub async fn quiet_since(
    conn: &mut PgConnection,
    product: Product,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let ids = sqlx::query_scalar(
        "SELECT id FROM shipment
         WHERE NOT silent
            AND state IN ('HANDED_OVER', 'IN_TRANSIT', 'CUSTOMS', 'AT_DELIVERY_OFFICE', 'ATTEMPTED', 'HELD_FOR_COLLECTION', 'RETURNING')
            AND product = $1 AND greatest(handed_over_at, last_event_at, claim_settled_at) < $2
            AND (held_until IS NULL OR held_until < $3)
         ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED",
    )
    .bind(product.as_str())
    .bind(before)
    .bind(civil_date(before))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// How many shipments have each exception.
///
/// # Errors
/// [`StoreError`].
pub async fn count_exceptions(conn: &mut PgConnection) -> Result<Vec<(String, i64)>, StoreError> {
    let counts = sqlx::query_as(
        "SELECT exception, count(*) FROM shipment WHERE exception IS NOT NULL GROUP BY exception",
    )
    .fetch_all(conn)
    .await?;
    Ok(counts)
}
