//! Tables `session` and `sign_in_challenge`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::session::{Challenge, Lifetime, Origin, Session};
use crate::domain::vocabulary::{Surface, Word};

#[derive(sqlx::FromRow)]
struct SessionRow {
    session_id: Uuid,
    person_id: Uuid,
    surface: String,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    client_address: String,
    user_agent: String,
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let reading = Reading {
            table: "session",
            id: &row.session_id,
        };
        Ok(Self {
            id: row.session_id,
            person_id: row.person_id,
            surface: reading.word("surface", &row.surface)?,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            ended_at: row.ended_at,
            origin: Origin {
                client_address: row.client_address,
                user_agent: row.user_agent,
            },
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT session_id, person_id, surface, created_at, last_used_at, ended_at, client_address, user_agent
             FROM session ",
            $rest
        )
    };
}

pub async fn insert(
    conn: &mut PgConnection,
    session: &Session,
    secret_hash: &[u8; 32],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO session (session_id, person_id, surface, secret_hash, created_at, last_used_at, client_address, user_agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(session.id)
    .bind(session.person_id)
    .bind(session.surface.as_str())
    .bind(&secret_hash[..])
    .bind(session.created_at)
    .bind(session.last_used_at)
    .bind(&session.origin.client_address)
    .bind(&session.origin.user_agent)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Session>, StoreError> {
    let row: Option<SessionRow> = sqlx::query_as(select!("WHERE session_id = $1"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Session::try_from).transpose()
}

pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Session>, StoreError> {
    let row: Option<SessionRow> = sqlx::query_as(select!("WHERE session_id = $1 FOR UPDATE"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Session::try_from).transpose()
}

/// As [`find`]; the session does not end before the transaction does.
pub async fn hold(conn: &mut PgConnection, id: Uuid) -> Result<Option<Session>, StoreError> {
    let row: Option<SessionRow> = sqlx::query_as(select!("WHERE session_id = $1 FOR SHARE"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Session::try_from).transpose()
}

pub async fn find_by_secret(conn: &mut PgConnection, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
    let row: Option<SessionRow> = sqlx::query_as(select!("WHERE secret_hash = $1"))
        .bind(&hash[..])
        .fetch_optional(conn)
        .await?;
    row.map(Session::try_from).transpose()
}

/// Notes a use; a session that was ended meanwhile stays ended.
pub async fn touch(conn: &mut PgConnection, id: Uuid, at: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query("UPDATE session SET last_used_at = greatest(last_used_at, $2) WHERE session_id = $1 AND ended_at IS NULL")
        .bind(id)
        .bind(at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Live sessions of a person, newest first, before `before`.
pub async fn list(
    conn: &mut PgConnection,
    person: Uuid,
    (before, most): (Option<Uuid>, i64),
    lifetimes: &[(Surface, Lifetime)],
    now: DateTime<Utc>,
) -> Result<Vec<Session>, StoreError> {
    let surfaces: Vec<&str> = lifetimes.iter().map(|(surface, _)| surface.as_str()).collect();
    let used_after: Vec<_> = lifetimes.iter().map(|(_, life)| now - life.idle).collect();
    let made_after: Vec<_> = lifetimes.iter().map(|(_, life)| now - life.absolute).collect();
    let rows: Vec<SessionRow> = sqlx::query_as(select!(
        "JOIN unnest($4::text[], $5::timestamptz[], $6::timestamptz[]) AS life (surface, used_after, made_after) USING (surface)
         WHERE person_id = $1 AND ended_at IS NULL AND ($2::uuid IS NULL OR session_id < $2)
           AND last_used_at > life.used_after AND created_at > life.made_after
         ORDER BY session_id DESC LIMIT $3"
    ))
    .bind(person)
    .bind(before)
    .bind(most)
    .bind(surfaces)
    .bind(used_after)
    .bind(made_after)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Session::try_from).collect()
}

/// Ends a session; `false` when it had ended.
pub async fn end(conn: &mut PgConnection, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
    let done = sqlx::query("UPDATE session SET ended_at = $2 WHERE session_id = $1 AND ended_at IS NULL")
        .bind(id)
        .bind(at)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all sessions of a person but one, and every sign-in under way. Returns the sessions that this ended.
pub async fn end_all(
    conn: &mut PgConnection,
    person: Uuid,
    keep: Option<Uuid>,
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>, StoreError> {
    sqlx::query("UPDATE sign_in_challenge SET used = true WHERE person_id = $1")
        .bind(person)
        .execute(&mut *conn)
        .await?;
    let ended: Vec<(Uuid,)> = sqlx::query_as(
        "UPDATE session SET ended_at = $3
         WHERE person_id = $1 AND ended_at IS NULL AND session_id IS DISTINCT FROM $2 RETURNING session_id",
    )
    .bind(person)
    .bind(keep)
    .bind(at)
    .fetch_all(conn)
    .await?;
    Ok(ended.into_iter().map(|(id,)| id).collect())
}

/// Ends a batch of sessions of one surface that are over by their age. Returns them.
pub async fn end_expired(
    conn: &mut PgConnection,
    surface: Surface,
    lifetime: Lifetime,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, StoreError> {
    let ended: Vec<(Uuid,)> = sqlx::query_as(
        "UPDATE session SET ended_at = $4
         WHERE session_id = ANY (ARRAY (
             SELECT session_id FROM session
             WHERE surface = $1 AND ended_at IS NULL AND (last_used_at <= $2 OR created_at <= $3)
             LIMIT 1000 FOR UPDATE SKIP LOCKED))
         RETURNING session_id",
    )
    .bind(surface.as_str())
    .bind(now - lifetime.idle)
    .bind(now - lifetime.absolute)
    .bind(now)
    .fetch_all(conn)
    .await?;
    Ok(ended.into_iter().map(|(id,)| id).collect())
}

/// Whether the person has signed in from this address since.
pub async fn is_known_address(
    conn: &mut PgConnection,
    person: Uuid,
    address: &str,
    since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let (known,): (bool,) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM session WHERE person_id = $1 AND client_address = $2 AND created_at >= $3)",
    )
    .bind(person)
    .bind(address)
    .bind(since)
    .fetch_one(conn)
    .await?;
    Ok(known)
}

#[derive(sqlx::FromRow)]
struct ChallengeRow {
    challenge_id: Uuid,
    person_id: Uuid,
    surface: String,
    attempts_left: i16,
    expires_at: DateTime<Utc>,
    used: bool,
    client_address: String,
    user_agent: String,
}

pub async fn insert_challenge(
    conn: &mut PgConnection,
    challenge: &Challenge,
    secret_hash: &[u8; 32],
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sign_in_challenge (challenge_id, secret_hash, person_id, surface, attempts_left, expires_at,
                                        client_address, user_agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(challenge.id)
    .bind(&secret_hash[..])
    .bind(challenge.person_id)
    .bind(challenge.surface.as_str())
    .bind(challenge.attempts_left)
    .bind(challenge.expires_at)
    .bind(&challenge.origin.client_address)
    .bind(&challenge.origin.user_agent)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn find_challenge(
    conn: &mut PgConnection,
    hash: &[u8; 32],
) -> Result<Option<Challenge>, StoreError> {
    read_challenge(
        sqlx::query_as("SELECT * FROM sign_in_challenge WHERE secret_hash = $1")
            .bind(&hash[..])
            .fetch_optional(conn)
            .await?,
    )
}

pub async fn lock_challenge(
    conn: &mut PgConnection,
    hash: &[u8; 32],
) -> Result<Option<Challenge>, StoreError> {
    read_challenge(
        sqlx::query_as("SELECT * FROM sign_in_challenge WHERE secret_hash = $1 FOR UPDATE")
            .bind(&hash[..])
            .fetch_optional(conn)
            .await?,
    )
}

fn read_challenge(row: Option<ChallengeRow>) -> Result<Option<Challenge>, StoreError> {
    row.map(|row| {
        let reading = Reading {
            table: "sign_in_challenge",
            id: &row.challenge_id,
        };
        Ok(Challenge {
            id: row.challenge_id,
            person_id: row.person_id,
            surface: reading.word("surface", &row.surface)?,
            attempts_left: row.attempts_left,
            expires_at: row.expires_at,
            used: row.used,
            origin: Origin {
                client_address: row.client_address,
                user_agent: row.user_agent,
            },
        })
    })
    .transpose()
}

pub async fn save_challenge(conn: &mut PgConnection, challenge: &Challenge) -> Result<(), StoreError> {
    let done =
        sqlx::query("UPDATE sign_in_challenge SET attempts_left = $2, used = $3 WHERE challenge_id = $1")
            .bind(challenge.id)
            .bind(challenge.attempts_left)
            .bind(challenge.used)
            .execute(conn)
            .await?;
    exactly_one(&done, "sign_in_challenge", challenge.id)
}
