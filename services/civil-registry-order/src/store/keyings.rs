//! Tables `keying` and `register_size`.

pub mod progress;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::act::{ActContent, Entry, NoteDraft};
use crate::domain::act_key::ActKey;
use crate::domain::keying::{Keying, Look, Stage};
use crate::store::StoreError;
use crate::store::acts::read_key;

const TABLE: &str = "keying";

/// What one person read, as it is stored.
#[derive(Serialize, Deserialize)]
struct Reading<C, N> {
    content: C,
    notes: N,
}

/// Adds a keying after its first look; `false` where its key has one that is not withdrawn.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    conn: &mut PgConnection,
    keying: &Keying,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let key = keying.first.entry.key();
    let done = sqlx::query(
        "INSERT INTO keying (id, version, state, office_id, kind, year, part, number, scan_id, first_by, first_entry, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
         ON CONFLICT (office_id, kind, year, number, part) WHERE state <> 'WITHDRAWN' DO NOTHING",
    )
    .bind(keying.id)
    .bind(keying.version)
    .bind(keying.stage.name())
    .bind(key.office_id)
    .bind(key.kind.as_str())
    .bind(key.year)
    .bind(key.part.as_str())
    .bind(key.number.as_str())
    .bind(keying.scan_id)
    .bind(keying.first.person_id)
    .bind(reading(&keying.first.entry))
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Saves a keying after a further look, or a withdrawal.
///
/// # Errors
/// [`StoreError::LostRace`] when the row is not at the version before.
pub async fn save(conn: &mut PgConnection, keying: &Keying, now: DateTime<Utc>) -> Result<(), StoreError> {
    let (second, third, act_id, withdrawn_by) = match &keying.stage {
        Stage::KeyedOnce => (None, None, None, None),
        Stage::Differs { second } => (Some(second), None, None, None),
        Stage::Registered {
            second,
            third,
            act_id,
        } => (Some(second), third.as_ref(), Some(*act_id), None),
        Stage::Withdrawn { second, by } => (second.as_ref(), None, None, Some(*by)),
    };
    let done = sqlx::query(
        "UPDATE keying SET version = $2, state = $3, scan_id = $4, second_by = $5, second_entry = $6, third_by = $7, third_entry = $8,
                act_id = $9, withdrawn_by = $10, updated_at = $11
         WHERE id = $1 AND version = $2 - 1",
    )
    .bind(keying.id)
    .bind(keying.version)
    .bind(keying.stage.name())
    .bind(keying.scan_id)
    .bind(second.map(|look| look.person_id))
    .bind(second.map(|look| reading(&look.entry)))
    .bind(third.map(|look| look.person_id))
    .bind(third.map(|look| reading(&look.entry)))
    .bind(act_id)
    .bind(withdrawn_by)
    .bind(now)
    .execute(conn)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::LostRace {
            table: TABLE,
            id: keying.id,
        })
    }
}

fn reading(entry: &Entry) -> Json<Reading<&ActContent, &[NoteDraft]>> {
    Json(Reading {
        content: entry.content(),
        notes: entry.notes(),
    })
}

type Stored = Json<Reading<Box<ActContent>, Vec<NoteDraft>>>;

#[derive(FromRow)]
struct Row {
    id: Uuid,
    version: i64,
    state: String,
    office_id: Uuid,
    kind: String,
    year: i16,
    part: String,
    number: String,
    scan_id: Option<Uuid>,
    first_by: Uuid,
    first_entry: Stored,
    second_by: Option<Uuid>,
    second_entry: Option<Stored>,
    third_by: Option<Uuid>,
    third_entry: Option<Stored>,
    withdrawn_by: Option<Uuid>,
    act_id: Option<Uuid>,
}

impl TryFrom<Row> for Keying {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent {
            table: TABLE,
            column,
            id: row.id,
        };
        let key =
            read_key(row.office_id, &row.kind, row.year, &row.part, &row.number).map_err(inconsistent)?;
        let look = |person_id: Option<Uuid>, stored: Option<Stored>| {
            let Json(reading) = stored?;
            Some(Look {
                person_id: person_id?,
                entry: Entry::restored(key.clone(), reading.content, reading.notes),
            })
        };
        let first =
            look(Some(row.first_by), Some(row.first_entry)).ok_or_else(|| inconsistent("first_entry"))?;
        let second = look(row.second_by, row.second_entry);
        let stage = match (row.state.as_str(), second, row.act_id, row.withdrawn_by) {
            ("KEYED_ONCE", None, None, None) => Stage::KeyedOnce,
            ("DIFFERS", Some(second), None, None) => Stage::Differs { second },
            ("WITHDRAWN", second, None, Some(by)) => Stage::Withdrawn { second, by },
            ("REGISTERED", Some(second), Some(act_id), None) => Stage::Registered {
                second,
                third: look(row.third_by, row.third_entry),
                act_id,
            },
            _ => return Err(inconsistent("state")),
        };
        Ok(Self {
            id: row.id,
            version: row.version,
            first,
            stage,
            scan_id: row.scan_id,
        })
    }
}

/// Reads a keying.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Keying>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM keying WHERE id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Keying::try_from).transpose()
}

/// Reads a keying and locks its row until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Keying>, StoreError> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM keying WHERE id = $1 FOR UPDATE")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Keying::try_from).transpose()
}

/// Reads the keying of a key, unless it is withdrawn, and locks its row until the transaction ends.
///
/// # Errors
/// [`StoreError`].
pub async fn lock_by_key(conn: &mut PgConnection, key: &ActKey) -> Result<Option<Keying>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT * FROM keying WHERE office_id = $1 AND kind = $2 AND year = $3 AND number = $4 AND part = $5
           AND state <> 'WITHDRAWN' FOR UPDATE",
    )
    .bind(key.office_id)
    .bind(key.kind.as_str())
    .bind(key.year)
    .bind(key.number.as_str())
    .bind(key.part.as_str())
    .fetch_optional(conn)
    .await?;
    row.map(Keying::try_from).transpose()
}

/// A keying in a list: nothing of what was keyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: Uuid,
    pub key: ActKey,
    pub state: String,
    pub has_scan: bool,
    pub created_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct ListedRow {
    id: Uuid,
    office_id: Uuid,
    kind: String,
    year: i16,
    part: String,
    number: String,
    state: String,
    has_scan: bool,
    created_at: DateTime<Utc>,
}

/// Whose keyings a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those that the person may look at: taken by others alone.
    Others,
    /// Those that the person took the first look of.
    Own,
}

/// Keyings of these offices that are open, oldest first. Acts that came in otherwise are left out.
///
/// # Errors
/// [`StoreError`].
pub async fn open(
    conn: &mut PgConnection,
    offices: &[Uuid],
    (whose, person_id): (Whose, Uuid),
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let rows: Vec<ListedRow> = sqlx::query_as(
        "SELECT id, office_id, kind, year, part, number, state, scan_id IS NOT NULL AS has_scan, created_at
         FROM keying k
         WHERE office_id = ANY ($1) AND state IN ('KEYED_ONCE', 'DIFFERS')
           AND CASE WHEN $5 THEN first_by = $2 ELSE first_by <> $2 AND second_by IS DISTINCT FROM $2 END
           AND ($3::uuid IS NULL OR id > $3)
           AND NOT EXISTS (SELECT FROM act a WHERE a.office_id = k.office_id AND a.kind = k.kind AND a.year = k.year
                                               AND a.number = k.number AND a.part = k.part)
         ORDER BY id LIMIT $4",
    )
    .bind(offices)
    .bind(person_id)
    .bind(after)
    .bind(limit)
    .bind(whose == Whose::Own)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let inconsistent = |column| StoreError::Inconsistent {
                table: TABLE,
                column,
                id: row.id,
            };
            Ok(Listed {
                key: read_key(row.office_id, &row.kind, row.year, &row.part, &row.number)
                    .map_err(inconsistent)?,
                id: row.id,
                state: row.state,
                has_scan: row.has_scan,
                created_at: row.created_at,
            })
        })
        .collect()
}
