//! An officer's act on a batch: written down first, then the key's answers.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::StoreError;

/// A confirmation redeemed for a batch.
pub struct Act<'a> {
    pub confirmation_id: Uuid,
    pub office_id: Uuid,
    pub office_name_ar: &'a str,
    pub office_name_fr: &'a str,
    pub officer_id: Uuid,
    pub method: &'a str,
    pub confirmed_at: DateTime<Utc>,
    pub jws: &'a str,
    /// What was confirmed, by document.
    pub digests: Vec<(Uuid, [u8; 32])>,
}

/// Keeps a redeemed confirmation with its documents; once more does nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn add_act(conn: &mut PgConnection, act: &Act<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO issued_act (confirmation_id, office_id, office_name_ar, office_name_fr, officer_id, method, confirmed_at, jws,
                                 authorised_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind(act.confirmation_id)
    .bind(act.office_id)
    .bind(act.office_name_ar)
    .bind(act.office_name_fr)
    .bind(act.officer_id)
    .bind(act.method)
    .bind(act.confirmed_at)
    .bind(act.jws)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let (ids, digests): (Vec<Uuid>, Vec<Vec<u8>>) = act
        .digests
        .iter()
        .map(|(id, digest)| (*id, digest.to_vec()))
        .unzip();
    sqlx::query(
        "INSERT INTO issued_act_document (confirmation_id, issued_document_id, digest)
         SELECT $1, id, digest FROM unnest($2::uuid[], $3::bytea[]) AS confirmed (id, digest) ON CONFLICT DO NOTHING",
    )
    .bind(act.confirmation_id)
    .bind(ids)
    .bind(digests)
    .execute(conn)
    .await?;
    Ok(())
}

/// A signature value that was checked against certificate and digest.
pub struct Value {
    pub id: Uuid,
    pub signature_value: Vec<u8>,
}

/// WAITING_FOR_OFFICER → SIGNED of those that still wait. The values of the others are dropped: another act, or their owner's
/// withdrawal, was first. Answers how many were saved.
///
/// # Errors
/// [`StoreError`].
pub async fn save_signed(
    conn: &mut PgConnection,
    confirmation_id: Uuid,
    credential_id: Uuid,
    values: Vec<Value>,
    now: DateTime<Utc>,
    retry_at: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let (ids, values): (Vec<Uuid>, Vec<Vec<u8>>) = values
        .into_iter()
        .map(|value| (value.id, value.signature_value))
        .unzip();
    let done = sqlx::query(
        "UPDATE issued_document SET state = 'SIGNED', confirmation_id = $1, credential_id = $2, signature_value = given.value,
                                    signed_at = $5, next_attempt_at = $6
         FROM unnest($3::uuid[], $4::bytea[]) AS given (id, value)
         WHERE issued_document.id = given.id AND state = 'WAITING_FOR_OFFICER'",
    )
    .bind(confirmation_id)
    .bind(credential_id)
    .bind(ids)
    .bind(values)
    .bind(now)
    .bind(retry_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
