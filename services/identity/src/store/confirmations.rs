//! Table `confirmation`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::confirmation::{Confirmation, Given, HashSet, State};
use crate::domain::vocabulary::Word;

const TABLE: &str = "confirmation";

#[derive(sqlx::FromRow)]
struct ConfirmationRow {
    confirmation_id: Uuid,
    version: i64,
    person_id: Uuid,
    session_id: Uuid,
    purpose: String,
    hashes: Vec<Vec<u8>>,
    state: String,
    attempts_left: i16,
    expires_at: DateTime<Utc>,
    method: Option<String>,
    confirmed_at: Option<DateTime<Utc>>,
    record: Option<String>,
    redeemed_by: Option<String>,
    redeemed_at: Option<DateTime<Utc>>,
}

impl ConfirmationRow {
    fn state(&self, reading: &Reading<'_>) -> Result<State, StoreError> {
        match self.state.as_str() {
            "open" => Ok(State::Open),
            "barred" => Ok(State::Barred),
            "expired" => Ok(State::Expired),
            "confirmed" => Ok(State::Confirmed(self.given(reading)?)),
            "redeemed" => Ok(State::Redeemed {
                given: self.given(reading)?,
                service: self
                    .redeemed_by
                    .clone()
                    .ok_or_else(|| reading.wrong("redeemed_by"))?,
                at: self.redeemed_at.ok_or_else(|| reading.wrong("redeemed_at"))?,
            }),
            _ => Err(reading.wrong("state")),
        }
    }

    fn given(&self, reading: &Reading<'_>) -> Result<Given, StoreError> {
        Ok(Given {
            method: reading.word("method", self.method.as_deref().unwrap_or_default())?,
            at: self.confirmed_at.ok_or_else(|| reading.wrong("confirmed_at"))?,
            record: self.record.clone().ok_or_else(|| reading.wrong("record"))?,
        })
    }

    fn read(self) -> Result<Confirmation, StoreError> {
        let reading = Reading {
            table: TABLE,
            id: &self.confirmation_id,
        };
        Ok(Confirmation {
            state: self.state(&reading)?,
            purpose: reading.word("purpose", &self.purpose)?,
            hashes: HashSet::parse(&self.hashes).map_err(|_| reading.wrong("hashes"))?,
            id: self.confirmation_id,
            version: self.version,
            person_id: self.person_id,
            session_id: self.session_id,
            attempts_left: self.attempts_left,
            expires_at: self.expires_at,
        })
    }
}

/// State, given and redemption as columns.
struct Columns<'a> {
    state: &'static str,
    given: Option<&'a Given>,
    redeemed: Option<(&'a str, DateTime<Utc>)>,
}

fn columns(state: &State) -> Columns<'_> {
    match state {
        State::Open => Columns {
            state: "open",
            given: None,
            redeemed: None,
        },
        State::Barred => Columns {
            state: "barred",
            given: None,
            redeemed: None,
        },
        State::Expired => Columns {
            state: "expired",
            given: None,
            redeemed: None,
        },
        State::Confirmed(given) => Columns {
            state: "confirmed",
            given: Some(given),
            redeemed: None,
        },
        State::Redeemed { given, service, at } => Columns {
            state: "redeemed",
            given: Some(given),
            redeemed: Some((service, *at)),
        },
    }
}

pub async fn insert(conn: &mut PgConnection, confirmation: &Confirmation) -> Result<(), StoreError> {
    let hashes: Vec<&[u8]> = confirmation
        .hashes
        .as_slice()
        .iter()
        .map(<[u8; 32]>::as_slice)
        .collect();
    sqlx::query(
        "INSERT INTO confirmation (confirmation_id, version, person_id, session_id, purpose, hashes, state, attempts_left,
                                   expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(confirmation.id)
    .bind(confirmation.version)
    .bind(confirmation.person_id)
    .bind(confirmation.session_id)
    .bind(confirmation.purpose.as_str())
    .bind(hashes)
    .bind(columns(&confirmation.state).state)
    .bind(confirmation.attempts_left)
    .bind(confirmation.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Confirmation>, StoreError> {
    let row: Option<ConfirmationRow> =
        sqlx::query_as("SELECT * FROM confirmation WHERE confirmation_id = $1 FOR UPDATE")
            .bind(id)
            .fetch_optional(conn)
            .await?;
    row.map(ConfirmationRow::read).transpose()
}

/// Saves a locked confirmation that was at `before`: a wrong code changes it without an event, so its version may stay.
pub async fn save(
    conn: &mut PgConnection,
    confirmation: &Confirmation,
    before: i64,
) -> Result<(), StoreError> {
    let columns = columns(&confirmation.state);
    let done = sqlx::query(
        "UPDATE confirmation SET version = $3, state = $4, attempts_left = $5, method = $6, confirmed_at = $7, record = $8,
                                 redeemed_by = $9, redeemed_at = $10
         WHERE confirmation_id = $1 AND version = $2",
    )
    .bind(confirmation.id)
    .bind(before)
    .bind(confirmation.version)
    .bind(columns.state)
    .bind(confirmation.attempts_left)
    .bind(columns.given.map(|given| given.method.as_str()))
    .bind(columns.given.map(|given| given.at))
    .bind(columns.given.map(|given| given.record.as_str()))
    .bind(columns.redeemed.map(|(service, _)| service))
    .bind(columns.redeemed.map(|(_, at)| at))
    .execute(conn)
    .await?;
    exactly_one(&done, TABLE, confirmation.id)
}

/// Notes of a batch of unused confirmations that they are too old. Returns their ids and versions.
pub async fn expire(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<(Uuid, i64)>, StoreError> {
    Ok(sqlx::query_as(
        "UPDATE confirmation SET state = 'expired', version = version + 1
         WHERE confirmation_id = ANY (ARRAY (
             SELECT confirmation_id FROM confirmation
             WHERE state IN ('open', 'confirmed') AND expires_at <= $1 LIMIT 1000 FOR UPDATE SKIP LOCKED))
         RETURNING confirmation_id, version",
    )
    .bind(now)
    .fetch_all(conn)
    .await?)
}
