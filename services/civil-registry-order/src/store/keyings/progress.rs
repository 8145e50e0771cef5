//! How far the registers of an office are digitised.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::act_key::RegisterKind;
use crate::store::StoreError;

/// How far one register year is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub kind: RegisterKind,
    pub year: i16,
    /// As somebody counted.
    pub acts_in_register: Option<i32>,
    pub registered: i64,
    pub keyed_once: i64,
    pub differing: i64,
}

#[derive(FromRow)]
struct Row {
    kind: String,
    year: i16,
    acts: Option<i32>,
    registered: i64,
    keyed_once: i64,
    differing: i64,
}

/// Register years of an office of registration that have an act, a keying or a size, after one of them.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    conn: &mut PgConnection,
    office_id: Uuid,
    after: Option<(RegisterKind, i16)>,
    limit: i64,
) -> Result<Vec<Progress>, StoreError> {
    // Counting one register year after the other stops at the end of the page.
    let rows: Vec<Row> = sqlx::query_as(
        "WITH years AS (
             SELECT kind, year FROM (
                 SELECT DISTINCT kind, year FROM act WHERE office_id = $1
                 UNION SELECT kind, year FROM keying WHERE office_id = $1 AND state IN ('KEYED_ONCE', 'DIFFERS')
                 UNION SELECT kind, year FROM register_size WHERE office_id = $1
             ) y
             WHERE $2::text IS NULL OR (kind, year) > ($2, $3)
             ORDER BY kind, year LIMIT $4
         )
         SELECT y.kind, y.year, s.acts,
                (SELECT count(*) FROM act a WHERE a.office_id = $1 AND a.kind = y.kind AND a.year = y.year) AS registered,
                (SELECT count(*) FROM keying k
                 WHERE k.office_id = $1 AND k.kind = y.kind AND k.year = y.year AND k.state = 'KEYED_ONCE') AS keyed_once,
                (SELECT count(*) FROM keying k
                 WHERE k.office_id = $1 AND k.kind = y.kind AND k.year = y.year AND k.state = 'DIFFERS') AS differing
         FROM years y LEFT JOIN register_size s ON s.office_id = $1 AND s.kind = y.kind AND s.year = y.year
         ORDER BY y.kind, y.year",
    )
    .bind(office_id)
    .bind(after.map(|(kind, _)| kind.as_str()))
    .bind(after.map(|(_, year)| year))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| progress(row, office_id)).collect()
}

/// How far one register year is.
///
/// # Errors
/// [`StoreError`].
pub async fn of_year(
    conn: &mut PgConnection,
    office_id: Uuid,
    kind: RegisterKind,
    year: i16,
) -> Result<Progress, StoreError> {
    let row: Row = sqlx::query_as(
        "SELECT $2 AS kind, $3 AS year,
                (SELECT acts FROM register_size WHERE office_id = $1 AND kind = $2 AND year = $3) AS acts,
                (SELECT count(*) FROM act WHERE office_id = $1 AND kind = $2 AND year = $3) AS registered,
                (SELECT count(*) FROM keying WHERE office_id = $1 AND kind = $2 AND year = $3 AND state = 'KEYED_ONCE') AS keyed_once,
                (SELECT count(*) FROM keying WHERE office_id = $1 AND kind = $2 AND year = $3 AND state = 'DIFFERS') AS differing",
    )
    .bind(office_id)
    .bind(kind.as_str())
    .bind(year)
    .fetch_one(conn)
    .await?;
    progress(row, office_id)
}

/// Says how many acts a register year holds.
///
/// # Errors
/// [`StoreError`].
pub async fn set_size(
    conn: &mut PgConnection,
    register: (Uuid, RegisterKind, i16),
    acts: i32,
    set_by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (office_id, kind, year) = register;
    sqlx::query(
        "INSERT INTO register_size (office_id, kind, year, acts, set_by, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (office_id, kind, year) DO UPDATE
         SET acts = excluded.acts, set_by = excluded.set_by, updated_at = excluded.updated_at",
    )
    .bind(office_id)
    .bind(kind.as_str())
    .bind(year)
    .bind(acts)
    .bind(set_by)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

fn progress(row: Row, office_id: Uuid) -> Result<Progress, StoreError> {
    let kind = RegisterKind::parse(&row.kind).ok_or(StoreError::Inconsistent {
        table: "register_size",
        column: "kind",
        id: office_id,
    })?;
    Ok(Progress {
        kind,
        year: row.year,
        acts_in_register: row.acts,
        registered: row.registered,
        keyed_once: row.keyed_once,
        differing: row.differing,
    })
}
