//! Table `signing_credential_end`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::credential::{End, EndReason};
use crate::store::StoreError;

#[derive(sqlx::FromRow)]
struct Row {
    credential_id: Uuid,
    reason: String,
    ended_at: DateTime<Utc>,
}

impl TryFrom<Row> for End {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let reason = EndReason::parse(&row.reason).ok_or(StoreError::Inconsistent {
            table: "signing_credential_end",
            column: "reason",
            id: row.credential_id,
        })?;
        Ok(Self {
            credential_id: row.credential_id,
            reason,
            ended_at: row.ended_at,
        })
    }
}

/// Notes up to `limit` credentials that have come to their end and were not noted yet.
///
/// # Errors
/// [`StoreError`].
pub async fn note(conn: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> Result<Vec<End>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "INSERT INTO signing_credential_end (credential_id, reason, ended_at, noticed_at)
         SELECT id, CASE WHEN revoked_at IS NULL THEN 'EXPIRED' ELSE 'REVOKED' END, coalesce(revoked_at, not_after), $1
         FROM signing_credential
         LEFT JOIN revoked_certificate ON certificate_sha256 = sha256(certificate)
         WHERE (revoked_at IS NOT NULL OR not_after < $1)
           AND NOT EXISTS (SELECT FROM signing_credential_end noted WHERE noted.credential_id = signing_credential.id)
         ORDER BY id LIMIT $2
         ON CONFLICT DO NOTHING
         RETURNING credential_id, reason, ended_at",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(End::try_from).collect()
}
