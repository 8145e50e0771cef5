//! Tables `register_counter` and `register_entry`.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::fact::RegisterNumber;
use crate::domain::register::{Annulment, EntryState, RegisterEntry};
use crate::store::StoreError;

const TABLE: &str = "register_entry";

#[derive(sqlx::FromRow)]
struct Row {
    office_id: Uuid,
    year: i32,
    number: i32,
    entered_on: NaiveDate,
    state: String,
    request_id: Uuid,
    intent_id: Uuid,
    annulment_reason: Option<String>,
    annulled_by: Option<Uuid>,
    annulled_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for RegisterEntry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let state = EntryState::parse(&row.state).ok_or(StoreError::Inconsistent {
            table: TABLE,
            column: "state",
            id: row.intent_id,
        })?;
        let annulment = match (row.annulment_reason, row.annulled_by, row.annulled_at) {
            (Some(reason), Some(officer_id), Some(at)) => Some(Annulment {
                reason,
                officer_id,
                at,
            }),
            _ => None,
        };
        Ok(Self {
            office_id: row.office_id,
            number: RegisterNumber {
                year: row.year,
                number: row.number,
            },
            date: row.entered_on,
            state,
            annulment,
            request_id: row.request_id,
            intent_id: row.intent_id,
        })
    }
}

/// Locks an office's register, whatever year it is, until the transaction ends: what is read of the clock under this lock
/// orders the entries.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(conn: &mut PgConnection, office_id: Uuid) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('register ' || $1::text, 0))")
        .bind(office_id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes the next number of an office and year. The counter stays locked until the transaction ends: whoever takes a number
/// stores its entry, or nobody has taken it.
///
/// # Errors
/// [`StoreError`].
pub async fn take_number(conn: &mut PgConnection, office_id: Uuid, year: i32) -> Result<i32, StoreError> {
    let number = sqlx::query_scalar(
        "INSERT INTO register_counter (office_id, year, last) VALUES ($1, $2, 1)
         ON CONFLICT (office_id, year) DO UPDATE SET last = register_counter.last + 1
         RETURNING last",
    )
    .bind(office_id)
    .bind(year)
    .fetch_one(conn)
    .await?;
    Ok(number)
}

/// Adds a pending entry.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, entry: &RegisterEntry) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO register_entry (office_id, year, number, entered_on, state, request_id, intent_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(entry.office_id)
    .bind(entry.number.year)
    .bind(entry.number.number)
    .bind(entry.date)
    .bind(entry.state.as_str())
    .bind(entry.request_id)
    .bind(entry.intent_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a pending entry as sealed, or annulled.
///
/// # Errors
/// [`StoreError::LostRace`] when the entry is not pending.
pub async fn end(
    conn: &mut PgConnection,
    intent_id: Uuid,
    annulment: Option<&Annulment>,
) -> Result<(), StoreError> {
    let state = if annulment.is_some() {
        EntryState::Annulled
    } else {
        EntryState::Sealed
    };
    let done = sqlx::query(
        "UPDATE register_entry SET state = $2, annulment_reason = $3, annulled_by = $4, annulled_at = $5
         WHERE intent_id = $1 AND state = 'PENDING'",
    )
    .bind(intent_id)
    .bind(state.as_str())
    .bind(annulment.map(|annulment| &annulment.reason))
    .bind(annulment.map(|annulment| annulment.officer_id))
    .bind(annulment.map(|annulment| annulment.at))
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::LostRace {
            table: TABLE,
            id: intent_id,
        })
    }
}

/// The entry of an intent.
///
/// # Errors
/// [`StoreError`].
pub async fn of_intent(
    conn: &mut PgConnection,
    intent_id: Uuid,
) -> Result<Option<RegisterEntry>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM register_entry WHERE intent_id = $1")
        .bind(intent_id)
        .fetch_optional(conn)
        .await?;
    row.map(RegisterEntry::try_from).transpose()
}

/// The entries of several intents.
///
/// # Errors
/// [`StoreError`].
pub async fn of_intents(conn: &mut PgConnection, intents: &[Uuid]) -> Result<Vec<RegisterEntry>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM register_entry WHERE intent_id = ANY ($1)")
        .bind(intents)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(RegisterEntry::try_from).collect()
}

/// The entries of an office and year after a number, in order.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    conn: &mut PgConnection,
    office_id: Uuid,
    year: i32,
    after: i32,
    limit: i64,
) -> Result<Vec<RegisterEntry>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM register_entry WHERE office_id = $1 AND year = $2 AND number > $3 ORDER BY number LIMIT $4",
    )
    .bind(office_id)
    .bind(year)
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(RegisterEntry::try_from).collect()
}
