//! Table `claim`: who works on a request now.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::StoreError;

/// A claim that has not lapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    pub person_id: Uuid,
    pub lapses_at: DateTime<Utc>,
}

/// The claim that stands on a request.
///
/// # Errors
/// [`StoreError`].
pub async fn standing(
    conn: &mut PgConnection,
    request_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Claim>, StoreError> {
    let claim =
        sqlx::query_as("SELECT person_id, lapses_at FROM claim WHERE request_id = $1 AND lapses_at > $2")
            .bind(request_id)
            .bind(now)
            .fetch_optional(conn)
            .await?;
    Ok(claim)
}

/// The claims that stand on these requests.
///
/// # Errors
/// [`StoreError`].
pub async fn standing_on(
    conn: &mut PgConnection,
    request_ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<HashMap<Uuid, Claim>, StoreError> {
    let rows: Vec<(Uuid, Uuid, DateTime<Utc>)> = sqlx::query_as(
        "SELECT request_id, person_id, lapses_at FROM claim WHERE request_id = ANY ($1) AND lapses_at > $2",
    )
    .bind(request_ids)
    .bind(now)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, person_id, lapses_at)| (id, Claim { person_id, lapses_at }))
        .collect())
}

/// Whether somebody else works on the request.
///
/// # Errors
/// [`StoreError`].
pub async fn held_by_other(
    conn: &mut PgConnection,
    request_id: Uuid,
    person_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(standing(conn, request_id, now)
        .await?
        .is_some_and(|claim| claim.person_id != person_id))
}

/// Takes or renews the claim. The caller holds the lock of the request's row and has seen that nobody else holds it.
///
/// # Errors
/// [`StoreError`].
pub async fn take(
    conn: &mut PgConnection,
    request_id: Uuid,
    person_id: Uuid,
    now: DateTime<Utc>,
    lapses_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO claim (request_id, person_id, claimed_at, lapses_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (request_id) DO UPDATE
         SET person_id = EXCLUDED.person_id, claimed_at = EXCLUDED.claimed_at, lapses_at = EXCLUDED.lapses_at",
    )
    .bind(request_id)
    .bind(person_id)
    .bind(now)
    .bind(lapses_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the claim away, whoever holds it.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(conn: &mut PgConnection, request_id: Uuid) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM claim WHERE request_id = $1")
        .bind(request_id)
        .execute(conn)
        .await?;
    Ok(())
}
