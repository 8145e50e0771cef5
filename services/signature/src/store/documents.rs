//! Table `document`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::document::{Accepted, Document, Inspection, IntakeRefusal};
use crate::store::StoreError;

const TABLE: &str = "document";

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    owner_id: Uuid,
    file_name: String,
    size_bytes: i64,
    sha256: Vec<u8>,
    state: String,
    object_key: Option<String>,
    intake: Option<Value>,
    refusal_reason: Option<String>,
    refusal_object: Option<i64>,
    refusal_detail: Option<String>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Document {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent {
            table: TABLE,
            column,
            id: row.id,
        };
        let verdict = match (row.state.as_str(), row.intake, row.refusal_reason) {
            ("ACCEPTED", Some(intake), None) => Inspection::Accepted(
                serde_json::from_value::<Accepted>(intake).map_err(|_| inconsistent("intake"))?,
            ),
            ("REFUSED", None, Some(reason)) => Inspection::Refused(IntakeRefusal {
                reason,
                object_number: row
                    .refusal_object
                    .map(u32::try_from)
                    .transpose()
                    .map_err(|_| inconsistent("refusal_object"))?,
                detail: row.refusal_detail.unwrap_or_default(),
            }),
            _ => return Err(inconsistent("state")),
        };
        Ok(Self {
            id: row.id,
            owner_id: row.owner_id,
            file_name: row.file_name,
            size_bytes: u64::try_from(row.size_bytes).map_err(|_| inconsistent("size_bytes"))?,
            sha256: row.sha256.try_into().map_err(|_| inconsistent("sha256"))?,
            object_key: row.object_key,
            verdict,
            created_at: row.created_at,
        })
    }
}

/// Reads a document.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Document>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM document WHERE id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Document::try_from).transpose()
}

/// Records a document.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, document: &Document) -> Result<(), StoreError> {
    let refusal = match &document.verdict {
        Inspection::Accepted(_) => None,
        Inspection::Refused(refusal) => Some(refusal),
    };
    let size = i64::try_from(document.size_bytes).map_err(|_| StoreError::Inconsistent {
        table: TABLE,
        column: "size_bytes",
        id: document.id,
    })?;
    sqlx::query(
        "INSERT INTO document (id, owner_id, file_name, size_bytes, sha256, state, object_key, intake, refusal_reason,
                               refusal_object, refusal_detail, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(document.id)
    .bind(document.owner_id)
    .bind(&document.file_name)
    .bind(size)
    .bind(&document.sha256[..])
    .bind(if refusal.is_some() { "REFUSED" } else { "ACCEPTED" })
    .bind(&document.object_key)
    .bind(document.accepted().map(Json))
    .bind(refusal.map(|refusal| &refusal.reason))
    .bind(refusal.and_then(|refusal| refusal.object_number).map(i64::from))
    .bind(refusal.map(|refusal| &refusal.detail))
    .bind(document.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Of the given object keys, those that no document names.
///
/// # Errors
/// [`StoreError`].
pub async fn orphans(conn: &mut PgConnection, keys: &[String]) -> Result<Vec<String>, StoreError> {
    let orphans = sqlx::query_scalar(
        "SELECT key FROM unnest($1::text[]) AS listed (key)
         WHERE NOT EXISTS (SELECT FROM document WHERE object_key = key)",
    )
    .bind(keys)
    .fetch_all(conn)
    .await?;
    Ok(orphans)
}
