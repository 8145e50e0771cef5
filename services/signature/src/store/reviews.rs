//! Table `shown`: the two pictures last laid side by side for an agent.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::comparison::{Shown, SpecimenProof};
use crate::store::StoreError;

const TABLE: &str = "shown";

#[derive(sqlx::FromRow)]
struct Row {
    region_sha256: Vec<u8>,
    specimen_sha256: Vec<u8>,
    specimen_version: i32,
    specimen_proof_method: String,
    specimen_proof_office_id: Option<Uuid>,
    specimen_proof_at: DateTime<Utc>,
    shown_at: DateTime<Utc>,
}

/// What was last shown to this person.
///
/// # Errors
/// [`StoreError`].
pub async fn last_shown(
    conn: &mut PgConnection,
    request_id: Uuid,
    person_id: Uuid,
) -> Result<Option<Shown>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM shown WHERE request_id = $1 AND person_id = $2")
        .bind(request_id)
        .bind(person_id)
        .fetch_optional(conn)
        .await?;
    let inconsistent = |column| StoreError::Inconsistent {
        table: TABLE,
        column,
        id: request_id,
    };
    row.map(|row| {
        Ok(Shown {
            region_sha256: row
                .region_sha256
                .try_into()
                .map_err(|_| inconsistent("region_sha256"))?,
            specimen_sha256: row
                .specimen_sha256
                .try_into()
                .map_err(|_| inconsistent("specimen_sha256"))?,
            specimen_version: row.specimen_version,
            specimen_proof: SpecimenProof {
                method: row.specimen_proof_method,
                office_id: row.specimen_proof_office_id,
                at: row.specimen_proof_at,
            },
            shown_at: row.shown_at,
        })
    })
    .transpose()
}

/// Records what is shown now, in place of what was shown before.
///
/// # Errors
/// [`StoreError`].
pub async fn record_shown(
    conn: &mut PgConnection,
    request_id: Uuid,
    person_id: Uuid,
    shown: &Shown,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO shown (request_id, person_id, region_sha256, specimen_sha256, specimen_version, specimen_proof_method,
                            specimen_proof_office_id, specimen_proof_at, shown_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (request_id, person_id) DO UPDATE
         SET region_sha256 = EXCLUDED.region_sha256, specimen_sha256 = EXCLUDED.specimen_sha256,
             specimen_version = EXCLUDED.specimen_version, specimen_proof_method = EXCLUDED.specimen_proof_method,
             specimen_proof_office_id = EXCLUDED.specimen_proof_office_id,
             specimen_proof_at = EXCLUDED.specimen_proof_at, shown_at = EXCLUDED.shown_at",
    )
    .bind(request_id)
    .bind(person_id)
    .bind(&shown.region_sha256[..])
    .bind(&shown.specimen_sha256[..])
    .bind(shown.specimen_version)
    .bind(&shown.specimen_proof.method)
    .bind(shown.specimen_proof.office_id)
    .bind(shown.specimen_proof.at)
    .bind(shown.shown_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// A kept picture of the region of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub object_key: String,
    pub request_id: Uuid,
    pub sha256: Vec<u8>,
}

/// Object keys of those pictures that no recorded comparison names, and that no agent of an undecided request was shown last.
///
/// # Errors
/// [`StoreError`].
pub async fn needless(conn: &mut PgConnection, pictures: &[Picture]) -> Result<Vec<String>, StoreError> {
    let keys: Vec<&str> = pictures
        .iter()
        .map(|picture| picture.object_key.as_str())
        .collect();
    let requests: Vec<Uuid> = pictures.iter().map(|picture| picture.request_id).collect();
    let digests: Vec<&[u8]> = pictures.iter().map(|picture| &picture.sha256[..]).collect();
    let needless = sqlx::query_scalar(
        "SELECT key FROM unnest($1::text[], $2::uuid[], $3::bytea[]) AS listed (key, request, digest)
         WHERE NOT EXISTS (
             SELECT FROM legalisation_request WHERE id = request
             AND (region_sha256 = digest
                  OR state = 'SUBMITTED' AND EXISTS (
                      SELECT FROM shown WHERE request_id = request AND shown.region_sha256 = digest)))",
    )
    .bind(keys)
    .bind(requests)
    .bind(digests)
    .fetch_all(conn)
    .await?;
    Ok(needless)
}
