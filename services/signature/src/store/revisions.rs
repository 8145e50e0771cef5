//! Table `sealed_revision`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::revision::SealedRevision;
use crate::domain::seal_facts::SealedFileKind;
use crate::store::StoreError;

const TABLE: &str = "sealed_revision";

#[derive(sqlx::FromRow)]
struct Row {
    intent_id: Uuid,
    kind: String,
    revision: i32,
    request_id: Uuid,
    object_key: String,
    size_bytes: i64,
    sha256: Vec<u8>,
    commitment: Vec<u8>,
    level: String,
    sealed_at: DateTime<Utc>,
}

impl TryFrom<Row> for SealedRevision {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent {
            table: TABLE,
            column,
            id: row.intent_id,
        };
        Ok(Self {
            intent_id: row.intent_id,
            kind: SealedFileKind::parse(&row.kind).ok_or(inconsistent("kind"))?,
            revision: row.revision,
            request_id: row.request_id,
            object_key: row.object_key,
            size_bytes: row.size_bytes,
            sha256: row.sha256.try_into().map_err(|_| inconsistent("sha256"))?,
            commitment: row
                .commitment
                .try_into()
                .map_err(|_| inconsistent("commitment"))?,
            level: row.level,
            sealed_at: row.sealed_at,
        })
    }
}

/// Records an issued revision.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, revision: &SealedRevision) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sealed_revision (intent_id, kind, revision, request_id, object_key, size_bytes, sha256, commitment, level,
                                      sealed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(revision.intent_id)
    .bind(revision.kind.as_str())
    .bind(revision.revision)
    .bind(revision.request_id)
    .bind(&revision.object_key)
    .bind(revision.size_bytes)
    .bind(&revision.sha256[..])
    .bind(&revision.commitment[..])
    .bind(&revision.level)
    .bind(revision.sealed_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// All revisions of an intent's files: the document's first, each in order.
///
/// # Errors
/// [`StoreError`].
pub async fn of_intent(conn: &mut PgConnection, intent_id: Uuid) -> Result<Vec<SealedRevision>, StoreError> {
    of_intents(conn, &[intent_id]).await
}

/// All revisions of several intents.
///
/// # Errors
/// [`StoreError`].
pub async fn of_intents(
    conn: &mut PgConnection,
    intents: &[Uuid],
) -> Result<Vec<SealedRevision>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM sealed_revision WHERE intent_id = ANY ($1) ORDER BY intent_id, kind, revision",
    )
    .bind(intents)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(SealedRevision::try_from).collect()
}

/// The revision with one of these hashes, the last in the list that is known.
///
/// # Errors
/// [`StoreError`].
pub async fn by_hashes(
    conn: &mut PgConnection,
    hashes: &[[u8; 32]],
) -> Result<Vec<SealedRevision>, StoreError> {
    let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.to_vec()).collect();
    let rows: Vec<Row> = sqlx::query_as("SELECT * FROM sealed_revision WHERE sha256 = ANY ($1)")
        .bind(hashes)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(SealedRevision::try_from).collect()
}

/// Of the given object keys, those that no revision names.
///
/// # Errors
/// [`StoreError`].
pub async fn orphans(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<String>, StoreError> {
    let orphans = sqlx::query_scalar(
        "SELECT key FROM unnest($1::text[]) AS listed (key)
         WHERE NOT EXISTS (SELECT FROM sealed_revision WHERE object_key = key)",
    )
    .bind(keys)
    .fetch_all(conn)
    .await?;
    Ok(orphans)
}
