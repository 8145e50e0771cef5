//! From the key's answer to the sealed file, and what the world may know of it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::Row;
use crate::domain::intent::Hindrance;
use crate::domain::issued_document::{IssuedDocument, SealedFile};
use crate::store::StoreError;

/// Takes up to `limit` documents whose finishing is due for this process until `lease_until`; other processes pass them over
/// meanwhile.
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
        "UPDATE issued_document SET next_attempt_at = $2, attempts = attempts + 1
         WHERE id IN (SELECT id FROM issued_document WHERE state = 'SIGNED' AND next_attempt_at <= $1
                      ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
         RETURNING id, attempts",
    )
    .bind(now)
    .bind(lease_until)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(due)
}

/// A document that a job is to finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    pub id: Uuid,
    /// How often it was tried, this try included.
    pub attempts: i32,
}

/// Sets when documents that could not be finished are tried again.
///
/// # Errors
/// [`StoreError`].
pub async fn postpone(conn: &mut PgConnection, ids: &[Uuid], until: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query("UPDATE issued_document SET next_attempt_at = $2 WHERE id = ANY ($1) AND state = 'SIGNED'")
        .bind(ids)
        .bind(until)
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes why signed documents are not finished.
///
/// # Errors
/// [`StoreError`].
pub async fn note_hindrance(
    conn: &mut PgConnection,
    ids: &[Uuid],
    hindrance: Hindrance,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE issued_document SET hindrance = $2
         WHERE id = ANY ($1) AND state = 'SIGNED' AND hindrance IS DISTINCT FROM $2",
    )
    .bind(ids)
    .bind(hindrance.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// SIGNED → SEALED. `false` when somebody else has finished it.
///
/// # Errors
/// [`StoreError`].
pub async fn save_sealed(conn: &mut PgConnection, id: Uuid, file: &SealedFile) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE issued_document SET state = 'SEALED', sealed_key = $2, size_bytes = $3, sha256 = $4, commitment = $5, level = $6,
                                    ended_at = $7, hindrance = NULL
         WHERE id = $1 AND state = 'SIGNED'",
    )
    .bind(id)
    .bind(&file.object_key)
    .bind(file.size_bytes)
    .bind(&file.sha256[..])
    .bind(&file.commitment[..])
    .bind(&file.level)
    .bind(file.sealed_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// SIGNED → FAILED. `false` when somebody else has ended it.
///
/// # Errors
/// [`StoreError`].
pub async fn fail(conn: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE issued_document SET state = 'FAILED', hindrance = 'UNFINISHABLE', ended_at = $2 WHERE id = $1 AND state = 'SIGNED'",
    )
    .bind(id)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A sealed document with what its act says.
pub struct Facts {
    pub document: IssuedDocument,
    pub office_name_ar: String,
    pub office_name_fr: String,
}

#[derive(sqlx::FromRow)]
struct FactsRow {
    #[sqlx(flatten)]
    document: Row,
    office_name_ar: String,
    office_name_fr: String,
}

impl TryFrom<FactsRow> for Facts {
    type Error = StoreError;

    fn try_from(row: FactsRow) -> Result<Self, StoreError> {
        Ok(Self {
            document: row.document.try_into()?,
            office_name_ar: row.office_name_ar,
            office_name_fr: row.office_name_fr,
        })
    }
}

const SEALED: &str = "SELECT issued_document.*, issued_act.office_name_ar, issued_act.office_name_fr
    FROM issued_document JOIN issued_act ON issued_act.confirmation_id = issued_document.confirmation_id
    WHERE issued_document.state = 'SEALED'";

/// The sealed document that carries a code.
///
/// # Errors
/// [`StoreError`].
pub async fn issued_with_code(conn: &mut PgConnection, code: &str) -> Result<Option<Facts>, StoreError> {
    let row: Option<FactsRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!("{SEALED} AND code = $1")))
        .bind(code)
        .fetch_optional(conn)
        .await?;
    row.map(Facts::try_from).transpose()
}

/// The sealed documents with one of these hashes.
///
/// # Errors
/// [`StoreError`].
pub async fn by_hashes(conn: &mut PgConnection, hashes: &[[u8; 32]]) -> Result<Vec<Facts>, StoreError> {
    let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
    let rows: Vec<FactsRow> = sqlx::query_as(sqlx::AssertSqlSafe(format!("{SEALED} AND sha256 = ANY ($1)")))
        .bind(hashes)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Facts::try_from).collect()
}

/// Of the given object keys, those of prepared files that nothing needs any more.
///
/// # Errors
/// [`StoreError`].
pub async fn needless(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<String>, StoreError> {
    let needless = sqlx::query_scalar(
        "SELECT key FROM unnest($1::text[]) AS listed (key)
         WHERE NOT EXISTS (SELECT FROM issued_document
                           WHERE prepared_key = key AND state IN ('WAITING_FOR_OFFICER', 'SIGNED'))",
    )
    .bind(keys)
    .fetch_all(conn)
    .await?;
    Ok(needless)
}

/// Of the given object keys, those that no sealed document names.
///
/// # Errors
/// [`StoreError`].
pub async fn orphans(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<String>, StoreError> {
    let orphans = sqlx::query_scalar(
        "SELECT key FROM unnest($1::text[]) AS listed (key)
         WHERE NOT EXISTS (SELECT FROM issued_document WHERE sealed_key = key)",
    )
    .bind(keys)
    .fetch_all(conn)
    .await?;
    Ok(orphans)
}
