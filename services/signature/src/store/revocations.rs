//! Tables `revocation_evidence` and `revoked_certificate`.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::store::StoreError;
use crate::trust::{Evidence, EvidenceKind};

#[derive(sqlx::FromRow)]
struct Row {
    certificate_sha256: Vec<u8>,
    revoked_at: DateTime<Utc>,
    kind: String,
    data: Vec<u8>,
}

impl TryFrom<Row> for Evidence {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent {
            table: "revoked_certificate",
            column,
            id: Uuid::nil(),
        };
        let certificate = row.certificate_sha256.try_into();
        Ok(Self {
            certificate_sha256: certificate.map_err(|_| inconsistent("certificate_sha256"))?,
            revoked_at: row.revoked_at,
            kind: EvidenceKind::parse(&row.kind).ok_or(inconsistent("kind"))?,
            data: Bytes::from(row.data),
        })
    }
}

/// What proves that these certificates, by SHA-256, are revoked; those that are not known as revoked are left out.
///
/// # Errors
/// [`StoreError`].
pub async fn of(conn: &mut PgConnection, certificates: &[[u8; 32]]) -> Result<Vec<Evidence>, StoreError> {
    let certificates: Vec<Vec<u8>> = certificates.iter().map(|digest| digest.to_vec()).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT certificate_sha256, revoked_at, kind, data FROM revoked_certificate
         JOIN revocation_evidence ON revocation_evidence.sha256 = evidence_sha256
         WHERE certificate_sha256 = ANY ($1)",
    )
    .bind(certificates)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Evidence::try_from).collect()
}

/// Keeps a proof; of a certificate that is known as revoked already, nothing is kept.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    conn: &mut PgConnection,
    evidence: &Evidence,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let known: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM revoked_certificate WHERE certificate_sha256 = $1)")
            .bind(&evidence.certificate_sha256[..])
            .fetch_one(&mut *conn)
            .await?;
    if known {
        return Ok(());
    }
    let sha256 = Sha256::digest(&evidence.data).to_vec();
    sqlx::query(
        "INSERT INTO revocation_evidence (sha256, kind, data) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(&sha256)
    .bind(evidence.kind.as_str())
    .bind(&evidence.data[..])
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO revoked_certificate (certificate_sha256, revoked_at, evidence_sha256, learnt_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(&evidence.certificate_sha256[..])
    .bind(evidence.revoked_at)
    .bind(sha256)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}
