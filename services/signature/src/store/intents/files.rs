//! The phases of `seal_file`. Each step names the phase it leads from; a step that finds another phase has lost a race, and
//! its caller looks again.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row;
use crate::domain::intent::{Hindrance, Prepared, Signed};
use crate::domain::recipe::Recipe;
use crate::domain::seal_facts::SealedFileKind;
use crate::store::StoreError;

pub(super) async fn insert_frozen(
    conn: &mut PgConnection,
    intent_id: Uuid,
    kind: SealedFileKind,
    retry_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO seal_file (intent_id, kind, phase, next_attempt_at) VALUES ($1, $2, 'FROZEN', $3)",
    )
    .bind(intent_id)
    .bind(kind.as_str())
    .bind(retry_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds the separate page, frozen with the recipe that names the finished document.
///
/// # Errors
/// [`StoreError`].
pub async fn add_page(
    conn: &mut PgConnection,
    intent_id: Uuid,
    recipe: &Recipe,
    retry_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE seal_intent SET page_recipe = $2 WHERE id = $1")
        .bind(intent_id)
        .bind(row::recipe_text(recipe)?)
        .execute(&mut *conn)
        .await?;
    insert_frozen(conn, intent_id, SealedFileKind::LegalisationPage, retry_at).await
}

/// FROZEN → PREPARED. `false` when the file is no longer frozen.
///
/// # Errors
/// [`StoreError`].
pub async fn save_prepared(
    conn: &mut PgConnection,
    intent_id: Uuid,
    kind: SealedFileKind,
    prepared: &Prepared,
) -> Result<bool, StoreError> {
    let too_large = |column| StoreError::Inconsistent {
        table: "seal_file",
        column,
        id: intent_id,
    };
    let range: Vec<i64> = prepared
        .byte_range
        .iter()
        .map(|number| i64::try_from(*number))
        .collect::<Result<_, _>>()
        .map_err(|_| too_large("byte_range"))?;
    let done = sqlx::query(
        "UPDATE seal_file SET phase = 'PREPARED', prepared_key = $3, byte_range = $4, digest = $5, contents_offset = $6,
                              contents_len = $7, prepared_at = $8, attempts = 0
         WHERE intent_id = $1 AND kind = $2 AND phase = 'FROZEN'",
    )
    .bind(intent_id)
    .bind(kind.as_str())
    .bind(&prepared.object_key)
    .bind(range)
    .bind(&prepared.digest[..])
    .bind(i64::try_from(prepared.contents_offset).map_err(|_| too_large("contents_offset"))?)
    .bind(i64::try_from(prepared.contents_len).map_err(|_| too_large("contents_len"))?)
    .bind(prepared.prepared_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A confirmation redeemed for a file.
pub struct Authorisation<'a> {
    pub intent_id: Uuid,
    pub kind: SealedFileKind,
    pub confirmation_id: Uuid,
    pub method: &'a str,
    pub confirmed_at: DateTime<Utc>,
    pub jws: &'a str,
    pub digest: &'a [u8; 32],
}

/// Keeps a redeemed confirmation; once more does nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn authorise(
    conn: &mut PgConnection,
    authorisation: &Authorisation<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO seal_authorisation (intent_id, kind, confirmation_id, method, confirmed_at, jws, digest, authorised_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(authorisation.intent_id)
    .bind(authorisation.kind.as_str())
    .bind(authorisation.confirmation_id)
    .bind(authorisation.method)
    .bind(authorisation.confirmed_at)
    .bind(authorisation.jws)
    .bind(&authorisation.digest[..])
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// PREPARED → SIGNED. `false` when the file is no longer prepared, or the intent no longer open: another signature or an annulment
/// was first, and this signature is dropped. The intent is locked before the file is looked at: an annulment that is under way
/// is waited for.
///
/// # Errors
/// [`StoreError`].
pub async fn save_signed(
    conn: &mut PgConnection,
    intent_id: Uuid,
    kind: SealedFileKind,
    signed: &Signed,
    retry_at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let open: Option<Uuid> =
        sqlx::query_scalar("SELECT id FROM seal_intent WHERE id = $1 AND state = 'OPEN' FOR UPDATE")
            .bind(intent_id)
            .fetch_optional(&mut *conn)
            .await?;
    if open.is_none() {
        return Ok(false);
    }
    let done = sqlx::query(
        "UPDATE seal_file SET phase = 'SIGNED', confirmation_id = $3, signature_value = $4, signed_at = $5, next_attempt_at = $6
         WHERE intent_id = $1 AND kind = $2 AND phase = 'PREPARED'",
    )
    .bind(intent_id)
    .bind(kind.as_str())
    .bind(signed.confirmation_id)
    .bind(&signed.signature_value)
    .bind(signed.signed_at)
    .bind(retry_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// SIGNED → FINISHED. `false` when the file is finished already.
///
/// # Errors
/// [`StoreError`].
pub async fn save_finished(
    conn: &mut PgConnection,
    intent_id: Uuid,
    kind: SealedFileKind,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE seal_file SET phase = 'FINISHED', finished_at = $3, hindrance = NULL
         WHERE intent_id = $1 AND kind = $2 AND phase = 'SIGNED'",
    )
    .bind(intent_id)
    .bind(kind.as_str())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes why a signed file is not finished.
///
/// # Errors
/// [`StoreError`].
pub async fn note_hindrance(
    conn: &mut PgConnection,
    intent_id: Uuid,
    kind: SealedFileKind,
    hindrance: Hindrance,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE seal_file SET hindrance = $3 WHERE intent_id = $1 AND kind = $2 AND phase = 'SIGNED'
           AND hindrance IS DISTINCT FROM $3",
    )
    .bind(intent_id)
    .bind(kind.as_str())
    .bind(hindrance.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// A file whose next step asks nothing of the officer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    pub intent_id: Uuid,
    /// How often the step was tried before.
    pub attempts: i32,
}

/// Takes up to `limit` due files for this process until `lease_until`; other processes pass them over meanwhile.
///
/// # Errors
/// [`StoreError`].
pub async fn claim_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Due>, StoreError> {
    let due = sqlx::query_as(
        "UPDATE seal_file SET next_attempt_at = $2, attempts = attempts + 1
         WHERE (intent_id, kind) IN (
             SELECT seal_file.intent_id, kind FROM seal_file JOIN seal_intent ON seal_intent.id = intent_id
             WHERE phase IN ('FROZEN', 'SIGNED') AND next_attempt_at <= $1 AND seal_intent.state = 'OPEN'
             ORDER BY next_attempt_at LIMIT $3 FOR UPDATE OF seal_file SKIP LOCKED)
         RETURNING intent_id, attempts",
    )
    .bind(now)
    .bind(lease_until)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(due)
}

/// Sets when a file that could not go on is tried again.
///
/// # Errors
/// [`StoreError`].
pub async fn postpone(
    conn: &mut PgConnection,
    intent_id: Uuid,
    until: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE seal_file SET next_attempt_at = $2 WHERE intent_id = $1 AND phase IN ('FROZEN', 'SIGNED')",
    )
    .bind(intent_id)
    .bind(until)
    .execute(conn)
    .await?;
    Ok(())
}

/// Of the given object keys, those that no open intent's prepared file has.
///
/// # Errors
/// [`StoreError`].
pub async fn needless(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<String>, StoreError> {
    let needless = sqlx::query_scalar(
        "SELECT key FROM unnest($1::text[]) AS listed (key)
         WHERE NOT EXISTS (SELECT FROM seal_file JOIN seal_intent ON seal_intent.id = intent_id
                           WHERE prepared_key = key AND seal_intent.state = 'OPEN')",
    )
    .bind(keys)
    .fetch_all(conn)
    .await?;
    Ok(needless)
}
