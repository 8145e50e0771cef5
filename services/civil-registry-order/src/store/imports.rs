//! Table `act_import`, and the lock that keeps imports one after the other.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::import::{Format, Import, Position, State};
use crate::store::StoreError;

const TABLE: &str = "act_import";
/// Advisory lock of imports: any number that nothing else uses.
const LOCK: i64 = 0x0061_6374_735f_696d;

/// Takes the lock for as long as the connection lives; `false` when another import has it.
///
/// # Errors
/// [`StoreError`].
pub async fn try_lock(conn: &mut PgConnection) -> Result<bool, StoreError> {
    let locked = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(LOCK)
        .fetch_one(conn)
        .await?;
    Ok(locked)
}

/// Records a new import.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, import: &Import) -> Result<(), StoreError> {
    let position = &import.position;
    sqlx::query(
        "INSERT INTO act_import (id, version, state, format, head_sha256, prefix_sha256, byte_offset, lines, taken, refused, duplicates,
                                 report_bytes, report_sha256, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)",
    )
    .bind(import.id)
    .bind(import.version)
    .bind(import.state.as_str())
    .bind(import.format.as_str())
    .bind(import.head_sha256.as_slice())
    .bind(position.prefix_sha256.as_slice())
    .bind(count(position.byte_offset))
    .bind(count(position.lines))
    .bind(count(position.taken))
    .bind(count(position.refused))
    .bind(count(position.duplicates))
    .bind(count(position.report_bytes))
    .bind(position.report_sha256.as_slice())
    .bind(import.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Says how far an import is.
///
/// # Errors
/// [`StoreError`].
pub async fn save(conn: &mut PgConnection, import: &Import, now: DateTime<Utc>) -> Result<(), StoreError> {
    let position = &import.position;
    sqlx::query(
        "UPDATE act_import SET version = $2, state = $3, prefix_sha256 = $4, byte_offset = $5, lines = $6, taken = $7, refused = $8,
                duplicates = $9, report_bytes = $10, report_sha256 = $11, updated_at = $12
         WHERE id = $1",
    )
    .bind(import.id)
    .bind(import.version)
    .bind(import.state.as_str())
    .bind(position.prefix_sha256.as_slice())
    .bind(count(position.byte_offset))
    .bind(count(position.lines))
    .bind(count(position.taken))
    .bind(count(position.refused))
    .bind(count(position.duplicates))
    .bind(count(position.report_bytes))
    .bind(position.report_sha256.as_slice())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    version: i64,
    state: String,
    format: String,
    head_sha256: Vec<u8>,
    prefix_sha256: Vec<u8>,
    byte_offset: i64,
    lines: i64,
    taken: i64,
    refused: i64,
    duplicates: i64,
    report_bytes: i64,
    report_sha256: Vec<u8>,
    created_at: DateTime<Utc>,
}

/// The newest import of a file that begins like this and is not finished.
///
/// # Errors
/// [`StoreError`].
pub async fn unfinished(
    conn: &mut PgConnection,
    head_sha256: &[u8; 32],
) -> Result<Option<Import>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, version, state, format, head_sha256, prefix_sha256, byte_offset, lines, taken, refused, duplicates, report_bytes,
                report_sha256, created_at
         FROM act_import WHERE head_sha256 = $1 AND state <> 'FINISHED' ORDER BY id DESC LIMIT 1",
    )
    .bind(head_sha256.as_slice())
    .fetch_optional(conn)
    .await?;
    row.map(Import::try_from).transpose()
}

impl TryFrom<Row> for Import {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = row.id;
        let inconsistent = |column| StoreError::Inconsistent {
            table: TABLE,
            column,
            id,
        };
        let number = |column, value: i64| u64::try_from(value).map_err(|_| inconsistent(column));
        let digest = |column, bytes: Vec<u8>| <[u8; 32]>::try_from(bytes).map_err(|_| inconsistent(column));
        Ok(Self {
            id,
            version: row.version,
            state: State::parse(&row.state).ok_or_else(|| inconsistent("state"))?,
            format: Format::parse(&row.format).ok_or_else(|| inconsistent("format"))?,
            head_sha256: digest("head_sha256", row.head_sha256)?,
            position: Position {
                byte_offset: number("byte_offset", row.byte_offset)?,
                lines: number("lines", row.lines)?,
                prefix_sha256: digest("prefix_sha256", row.prefix_sha256)?,
                taken: number("taken", row.taken)?,
                refused: number("refused", row.refused)?,
                duplicates: number("duplicates", row.duplicates)?,
                report_bytes: number("report_bytes", row.report_bytes)?,
                report_sha256: digest("report_sha256", row.report_sha256)?,
            },
            created_at: row.created_at,
        })
    }
}

/// Bytes and rows of files fit in what the database counts with.
fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
