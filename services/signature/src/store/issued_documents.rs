//! Tables `issued_document`, `issued_act` and `issued_act_document`.

mod finishing;
mod row;
mod signing;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::issued_document::{IssuedDocument, SealMode};
use crate::store::{StoreError, broken_constraint};
pub use finishing::{
    Due, Facts, by_hashes, claim_due, fail, issued_with_code, needless, note_hindrance, orphans, postpone,
    save_sealed,
};
use row::Row;
pub use signing::{Act, Value, add_act, save_signed};

pub(super) const TABLE: &str = "issued_document";

/// What came of adding a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Yes,
    /// Another document carries the code.
    CodeTaken,
    /// Another document stands under the owner's reference.
    ReferenceTaken,
}

/// Adds a document that waits for an officer. Where it was not added, the transaction is good for nothing more.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, document: &IssuedDocument) -> Result<Added, StoreError> {
    let (deposit, prepared) = (&document.deposit, &document.prepared);
    let done = sqlx::query(
        "INSERT INTO issued_document (id, owner, owner_reference, office_id, kind, title_ar, title_fr, title_en, seal_mode, code,
                                      source_sha256, salt, state, prepared_key, byte_range, digest, contents_offset, contents_len,
                                      created_at, signing_officer)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'WAITING_FOR_OFFICER', $13, $14, $15, $16, $17, $18, $19)",
    )
    .bind(document.id)
    .bind(&deposit.owner)
    .bind(&deposit.owner_reference)
    .bind(deposit.office_id)
    .bind(&deposit.kind)
    .bind(&deposit.title.ar)
    .bind(&deposit.title.fr)
    .bind(&deposit.title.en)
    .bind(deposit.seal_mode.as_str())
    .bind(deposit.code.as_str())
    .bind(&deposit.source_sha256[..])
    .bind(&document.salt.0[..])
    .bind(&prepared.object_key)
    .bind(prepared.byte_range.map(u64::cast_signed).to_vec())
    .bind(&prepared.digest[..])
    .bind((prepared.contents_offset as u64).cast_signed())
    .bind((prepared.contents_len as u64).cast_signed())
    .bind(prepared.prepared_at)
    .bind(deposit.signing_officer)
    .execute(conn)
    .await;
    match done {
        Ok(_) => Ok(Added::Yes),
        Err(error) => match broken_constraint(&error) {
            Some("issued_document_code") => Ok(Added::CodeTaken),
            Some("issued_document_standing") => Ok(Added::ReferenceTaken),
            _ => Err(error.into()),
        },
    }
}

/// Reads a document of an owner.
///
/// # Errors
/// [`StoreError`].
pub async fn find_own(
    conn: &mut PgConnection,
    owner: &str,
    id: Uuid,
) -> Result<Option<IssuedDocument>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM issued_document WHERE id = $1 AND owner = $2")
        .bind(id)
        .bind(owner)
        .fetch_optional(conn)
        .await?;
    row.map(IssuedDocument::try_from).transpose()
}

/// Reads a document of an owner to change it.
///
/// # Errors
/// [`StoreError`].
pub async fn lock_own(
    conn: &mut PgConnection,
    owner: &str,
    id: Uuid,
) -> Result<Option<IssuedDocument>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as("SELECT * FROM issued_document WHERE id = $1 AND owner = $2 FOR UPDATE")
            .bind(id)
            .bind(owner)
            .fetch_optional(conn)
            .await?;
    row.map(IssuedDocument::try_from).transpose()
}

/// The last document that was deposited under an owner's reference.
///
/// # Errors
/// [`StoreError`].
pub async fn by_reference(
    conn: &mut PgConnection,
    owner: &str,
    reference: &str,
) -> Result<Option<IssuedDocument>, StoreError> {
    // They are few. Asked for the last alone, a planner without statistics walks backwards through all documents of the owner.
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM issued_document WHERE owner = $1 AND owner_reference = $2")
            .bind(owner)
            .bind(reference)
            .fetch_all(conn)
            .await?;
    let documents = rows.into_iter().map(IssuedDocument::try_from);
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    Ok(documents.into_iter().max_by_key(|document| document.id))
}

/// Whether any document here carries a code: another service's, or a legalisation's.
///
/// # Errors
/// [`StoreError`].
pub async fn is_code_taken(conn: &mut PgConnection, code: &str) -> Result<bool, StoreError> {
    let taken = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM issued_document WHERE code = $1) OR EXISTS (SELECT FROM seal_intent WHERE code = $1)",
    )
    .bind(code)
    .fetch_one(conn)
    .await?;
    Ok(taken)
}

/// Reads documents; those that are not known are missing. In no order.
///
/// # Errors
/// [`StoreError`].
pub async fn find_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<IssuedDocument>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM issued_document WHERE id = ANY ($1)")
        .bind(ids)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(IssuedDocument::try_from).collect()
}

/// Documents of an owner in order of deposit, after `after`.
///
/// # Errors
/// [`StoreError`].
pub async fn of_owner(
    conn: &mut PgConnection,
    owner: &str,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<IssuedDocument>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM issued_document WHERE owner = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
    )
    .bind(owner)
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(IssuedDocument::try_from).collect()
}

/// Which waiting documents to list.
pub struct Filter {
    pub office_id: Uuid,
    /// Only of this mode.
    pub seal_mode: Option<SealMode>,
    /// Only those that name this officer, or nobody.
    pub officer: Option<Uuid>,
    pub after: Option<Uuid>,
    pub limit: i64,
}

/// Documents of an office that wait for an officer, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn waiting(conn: &mut PgConnection, filter: &Filter) -> Result<Vec<IssuedDocument>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM issued_document
         WHERE office_id = $1 AND state = 'WAITING_FOR_OFFICER' AND ($2::text IS NULL OR seal_mode = $2)
           AND ($3::uuid IS NULL OR signing_officer IS NULL OR signing_officer = $3) AND ($4::uuid IS NULL OR id > $4)
         ORDER BY id LIMIT $5",
    )
    .bind(filter.office_id)
    .bind(filter.seal_mode.map(SealMode::as_str))
    .bind(filter.officer)
    .bind(filter.after)
    .bind(filter.limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(IssuedDocument::try_from).collect()
}

/// WAITING_FOR_OFFICER → WITHDRAWN, of a document that is locked.
///
/// # Errors
/// [`StoreError`].
pub async fn withdraw(conn: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query("UPDATE issued_document SET state = 'WITHDRAWN', ended_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}
