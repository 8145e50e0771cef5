//! Tables `specimen` and `specimen_version`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::people::ProofRow;
use super::{Reading, StoreError, exactly_one};
use crate::domain::specimen::{Specimen, SpecimenVersion, Strokes};
use crate::domain::specimen_image::SpecimenImage;
use crate::domain::vocabulary::Word;

const TABLE: &str = "specimen_version";

#[derive(sqlx::FromRow)]
struct VersionRow {
    specimen_id: Uuid,
    version: i32,
    image_sha256: Vec<u8>,
    deposited_at: DateTime<Utc>,
    #[sqlx(flatten)]
    proof: ProofRow,
}

impl TryFrom<VersionRow> for SpecimenVersion {
    type Error = StoreError;

    fn try_from(row: VersionRow) -> Result<Self, StoreError> {
        let reading = Reading {
            table: TABLE,
            id: &row.specimen_id,
        };
        Ok(Self {
            version: row.version,
            deposited_at: row.deposited_at,
            proof: row.proof.read(&reading)?,
            image_sha256: reading.bytes32("image_sha256", &row.image_sha256)?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT v.specimen_id, v.version, v.image_sha256, v.deposited_at, v.proof_method, v.proof_office_id,
                    v.proof_official_id, v.proved_at
             FROM specimen_version v JOIN specimen s ON s.specimen_id = v.specimen_id ",
            $rest
        )
    };
}

/// The person's specimen, locked. The caller has locked the person where there may be none yet.
pub async fn lock(conn: &mut PgConnection, person: Uuid) -> Result<Option<Specimen>, StoreError> {
    let row: Option<(Uuid, Uuid, i64, i32)> = sqlx::query_as(
        "SELECT specimen_id, person_id, sequence, last_version FROM specimen WHERE person_id = $1 FOR UPDATE",
    )
    .bind(person)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(id, person_id, sequence, last_version)| Specimen {
        id,
        person_id,
        sequence,
        last_version,
    }))
}

/// Saves the next event's state of a locked specimen, or a new one.
pub async fn save(conn: &mut PgConnection, specimen: &Specimen) -> Result<(), StoreError> {
    let done = sqlx::query(
        "INSERT INTO specimen AS s (specimen_id, person_id, sequence, last_version) VALUES ($1, $2, $3, $4)
         ON CONFLICT (specimen_id) DO UPDATE SET sequence = excluded.sequence, last_version = excluded.last_version
         WHERE s.sequence = excluded.sequence - 1",
    )
    .bind(specimen.id)
    .bind(specimen.person_id)
    .bind(specimen.sequence)
    .bind(specimen.last_version)
    .execute(conn)
    .await?;
    exactly_one(&done, "specimen", specimen.id)
}

pub async fn insert_version(
    conn: &mut PgConnection,
    specimen: Uuid,
    version: &SpecimenVersion,
    image: &SpecimenImage,
    strokes: &Strokes,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO specimen_version (specimen_id, version, image, image_sha256, strokes, deposited_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(specimen)
    .bind(version.version)
    .bind(image.png())
    .bind(&version.image_sha256[..])
    .bind(Json(strokes))
    .bind(version.deposited_at)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn save_proof(
    conn: &mut PgConnection,
    specimen: Uuid,
    version: &SpecimenVersion,
) -> Result<(), StoreError> {
    let proof = version.proof.as_ref();
    let done = sqlx::query(
        "UPDATE specimen_version
         SET proof_method = $3, proof_office_id = $4, proof_official_id = $5, proved_at = $6
         WHERE specimen_id = $1 AND version = $2 AND proof_method IS NULL",
    )
    .bind(specimen)
    .bind(version.version)
    .bind(proof.map(|proof| proof.method.as_str()))
    .bind(proof.and_then(|proof| proof.office_id))
    .bind(proof.and_then(|proof| proof.official_id))
    .bind(proof.map(|proof| proof.at))
    .execute(conn)
    .await?;
    exactly_one(&done, TABLE, specimen)
}

pub async fn find(
    conn: &mut PgConnection,
    person: Uuid,
    version: i32,
) -> Result<Option<SpecimenVersion>, StoreError> {
    let row: Option<VersionRow> = sqlx::query_as(select!("WHERE s.person_id = $1 AND v.version = $2"))
        .bind(person)
        .bind(version)
        .fetch_optional(conn)
        .await?;
    row.map(SpecimenVersion::try_from).transpose()
}

/// The newest version that counts.
pub async fn newest_counting(
    conn: &mut PgConnection,
    person: Uuid,
) -> Result<Option<SpecimenVersion>, StoreError> {
    let row: Option<VersionRow> = sqlx::query_as(select!(
        "WHERE s.person_id = $1 AND v.proof_method IS NOT NULL ORDER BY v.version DESC LIMIT 1"
    ))
    .bind(person)
    .fetch_optional(conn)
    .await?;
    row.map(SpecimenVersion::try_from).transpose()
}

/// Versions, newest first, before `before`.
pub async fn list(
    conn: &mut PgConnection,
    person: Uuid,
    before: Option<i32>,
    most: i64,
) -> Result<Vec<SpecimenVersion>, StoreError> {
    let rows: Vec<VersionRow> = sqlx::query_as(select!(
        "WHERE s.person_id = $1 AND ($2::integer IS NULL OR v.version < $2) ORDER BY v.version DESC LIMIT $3"
    ))
    .bind(person)
    .bind(before)
    .bind(most)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(SpecimenVersion::try_from).collect()
}

pub async fn image(
    conn: &mut PgConnection,
    person: Uuid,
    version: i32,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<(Vec<u8>,)> = sqlx::query_as(
        "SELECT v.image FROM specimen_version v JOIN specimen s ON s.specimen_id = v.specimen_id
         WHERE s.person_id = $1 AND v.version = $2",
    )
    .bind(person)
    .bind(version)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(image,)| image))
}
