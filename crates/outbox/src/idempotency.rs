//! A command is done once: its request id is claimed in the transaction of its effect and kept for 24 hours
//! (AIP-155).

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;

const KEPT: TimeDelta = TimeDelta::hours(24);

/// A command as recognised when it is repeated.
#[derive(Debug, Clone)]
pub struct Command {
    /// `person:<uuid>` or `service:<name>`: the same request id of two principals is two commands.
    pub principal: String,
    /// Full gRPC method path.
    pub method: &'static str,
    pub request_id: Uuid,
    /// SHA-256 of what is asked; for uploads, of the content.
    pub hash: [u8; 32],
}

impl Command {
    /// Hashes the request message, whose `request_id` the caller has cleared. The message must hold no map
    /// field: prost encodes those in no fixed order.
    pub fn new(
        principal: impl Into<String>,
        method: &'static str,
        request_id: Uuid,
        request: &impl prost::Message,
    ) -> Self {
        let hash = Sha256::digest(request.encode_to_vec()).into();
        Self {
            principal: principal.into(),
            method,
            request_id,
            hash,
        }
    }
}

/// What a claim found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Not done yet: do it in this transaction, then [`complete`] it.
    New,
    /// Done before: the stored response, empty when it held a secret.
    Done(Vec<u8>),
}

/// Why a command was not claimed or completed.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    #[error("request id {request_id} was used before for another request")]
    RequestIdReused { request_id: Uuid },
    #[error("request id {request_id} was not claimed in this transaction")]
    NotClaimed { request_id: Uuid },
    #[error("reading or writing the idempotency record failed")]
    Database(#[from] sqlx::Error),
}

/// Claims the command, first thing in its transaction. A concurrent repeat waits here until the first has
/// ended.
///
/// A command that was claimed and never completed in a committed transaction (a refusal that left its trace)
/// is [`Claim::New`] again for the same hash: the refusal is decided anew.
///
/// # Errors
/// [`IdempotencyError::RequestIdReused`] when the id came with another hash in the last 24 hours.
pub async fn claim(
    conn: &mut PgConnection,
    ambient: &Ambient,
    command: &Command,
) -> Result<Claim, IdempotencyError> {
    let now = ambient.now();
    loop {
        if insert(conn, command, now).await? {
            return Ok(Claim::New);
        }
        // No row means that an expired one was cleared away between the two statements.
        if let Some(found) = lock(conn, command).await? {
            return settle(conn, command, found, now).await;
        }
    }
}

/// Stores the response of a claimed command, last thing before the commit. `None` for a response that holds a
/// secret.
///
/// # Errors
/// [`IdempotencyError::NotClaimed`] when there was no claim: a mistake in the calling code.
pub async fn complete(
    conn: &mut PgConnection,
    command: &Command,
    response: Option<&[u8]>,
) -> Result<(), IdempotencyError> {
    let changed = sqlx::query(
        "UPDATE idempotency SET response = $4
         WHERE principal = $1 AND method = $2 AND request_id = $3 AND response IS NULL",
    )
    .bind(&command.principal)
    .bind(command.method)
    .bind(command.request_id)
    .bind(response.unwrap_or_default())
    .execute(conn)
    .await?
    .rows_affected();
    if changed == 1 {
        Ok(())
    } else {
        Err(IdempotencyError::NotClaimed {
            request_id: command.request_id,
        })
    }
}

/// Removes records older than 24 hours and returns their number. The relay's leader does this now and then.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn forget_expired(conn: &mut PgConnection, ambient: &Ambient) -> Result<u64, IdempotencyError> {
    let done = sqlx::query("DELETE FROM idempotency WHERE claimed_at < $1")
        .bind(ambient.now() - KEPT)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

#[derive(sqlx::FromRow)]
struct Found {
    hash: Vec<u8>,
    response: Option<Vec<u8>>,
    claimed_at: DateTime<Utc>,
}

async fn insert(conn: &mut PgConnection, command: &Command, now: DateTime<Utc>) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO idempotency (principal, method, request_id, hash, claimed_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(&command.principal)
    .bind(command.method)
    .bind(command.request_id)
    .bind(&command.hash[..])
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn lock(conn: &mut PgConnection, command: &Command) -> Result<Option<Found>, sqlx::Error> {
    sqlx::query_as(
        "SELECT hash, response, claimed_at FROM idempotency
         WHERE principal = $1 AND method = $2 AND request_id = $3 FOR UPDATE",
    )
    .bind(&command.principal)
    .bind(command.method)
    .bind(command.request_id)
    .fetch_optional(conn)
    .await
}

async fn settle(
    conn: &mut PgConnection,
    command: &Command,
    found: Found,
    now: DateTime<Utc>,
) -> Result<Claim, IdempotencyError> {
    if found.claimed_at < now - KEPT {
        renew(conn, command, now).await?;
        return Ok(Claim::New);
    }
    if found.hash != command.hash {
        return Err(IdempotencyError::RequestIdReused {
            request_id: command.request_id,
        });
    }
    Ok(found.response.map_or(Claim::New, Claim::Done))
}

async fn renew(conn: &mut PgConnection, command: &Command, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE idempotency SET hash = $4, response = NULL, claimed_at = $5
         WHERE principal = $1 AND method = $2 AND request_id = $3",
    )
    .bind(&command.principal)
    .bind(command.method)
    .bind(command.request_id)
    .bind(&command.hash[..])
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}
