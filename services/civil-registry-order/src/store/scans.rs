//! Tables `scan` and `act_scan`. Rows are only ever added.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::store::{StoreError, broken_constraint};

const TABLE: &str = "scan";

/// The scan of a register's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    pub id: Uuid,
    /// The office of registration.
    pub office_id: Uuid,
    pub object_key: String,
    pub content_type: String,
    pub size_bytes: i64,
    pub sha256: [u8; 32],
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    office_id: Uuid,
    object_key: String,
    content_type: String,
    size_bytes: i64,
    sha256: Vec<u8>,
}

impl TryFrom<Row> for Scan {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let sha256 = row.sha256.try_into().map_err(|_| StoreError::Inconsistent {
            table: TABLE,
            column: "sha256",
            id: row.id,
        })?;
        Ok(Self {
            id: row.id,
            office_id: row.office_id,
            object_key: row.object_key,
            content_type: row.content_type,
            size_bytes: row.size_bytes,
            sha256,
        })
    }
}

/// Adds a scan.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    conn: &mut PgConnection,
    scan: &Scan,
    uploaded_by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO scan (id, office_id, object_key, content_type, size_bytes, sha256, uploaded_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(scan.id)
    .bind(scan.office_id)
    .bind(&scan.object_key)
    .bind(&scan.content_type)
    .bind(scan.size_bytes)
    .bind(scan.sha256.as_slice())
    .bind(uploaded_by)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Says which scan shows an act; `false` where the act has one that is not to be superseded, or gets one in this moment.
///
/// # Errors
/// [`StoreError`].
pub async fn attach(
    conn: &mut PgConnection,
    act_id: Uuid,
    scan_id: Uuid,
    supersede: bool,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let attached = sqlx::query(
        "INSERT INTO act_scan (act_id, ordinal, scan_id, created_at)
         SELECT $1, coalesce(max(ordinal), 0) + 1, $2, $3 FROM act_scan WHERE act_id = $1 HAVING $4 OR count(*) = 0",
    )
    .bind(act_id)
    .bind(scan_id)
    .bind(now)
    .bind(supersede)
    .execute(conn)
    .await;
    match attached {
        Ok(done) => Ok(done.rows_affected() == 1),
        Err(error) if broken_constraint(&error) == Some("act_scan_pkey") => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads a scan.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Scan>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, office_id, object_key, content_type, size_bytes, sha256 FROM scan WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.map(Scan::try_from).transpose()
}

/// The scan of an act: the last one that was attached.
///
/// # Errors
/// [`StoreError`].
pub async fn of_act(conn: &mut PgConnection, act_id: Uuid) -> Result<Option<Scan>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT s.id, s.office_id, s.object_key, s.content_type, s.size_bytes, s.sha256
         FROM act_scan a JOIN scan s ON s.id = a.scan_id WHERE a.act_id = $1 ORDER BY a.ordinal DESC LIMIT 1",
    )
    .bind(act_id)
    .fetch_optional(conn)
    .await?;
    row.map(Scan::try_from).transpose()
}

/// Which of these objects a scan names.
///
/// # Errors
/// [`StoreError`].
pub async fn named(conn: &mut PgConnection, object_keys: &[String]) -> Result<Vec<String>, StoreError> {
    let named = sqlx::query_scalar("SELECT object_key FROM scan WHERE object_key = ANY ($1)")
        .bind(object_keys)
        .fetch_all(conn)
        .await?;
    Ok(named)
}
