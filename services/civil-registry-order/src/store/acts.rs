//! Tables `act`, `act_note` and `act_scan`. Rows are only ever added.

pub mod copy;
pub mod search;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::act::{
    Act, ActContent, Bilingual, Entry, ExtractChange, Note, NoteDraft, NoteKind, Source,
};
use crate::domain::act_key::{ActKey, RegisterKind};
use crate::domain::fold::Script;
use crate::domain::written_date::PartialDate;
use crate::store::{StoreError, broken_constraint};

const TABLE: &str = "act";
const NOTES: &str = "act_note";

/// What an act has beside what its register says.
#[derive(Debug, Clone)]
pub struct NewAct<'a> {
    pub id: Uuid,
    pub entry: &'a Entry,
    /// Who keyed it last: the author of its notes.
    pub author_id: Uuid,
    /// The ids of its notes, first to last.
    pub note_ids: Vec<Uuid>,
    pub created_at: DateTime<Utc>,
}

/// The columns of an act that are computed from what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    pub fold_arabic: Option<String>,
    pub fold_latin: Option<String>,
    pub birth_year: Option<i16>,
    pub born_on: Option<NaiveDate>,
}

impl Computed {
    /// From the content.
    pub fn of(content: &ActContent) -> Self {
        let (given, family) = (&content.given_name, &content.family_name);
        let born = content.birth_date.gregorian;
        Self {
            fold_arabic: Script::Arabic.key(&family.arabic, &given.arabic),
            fold_latin: Script::Latin.key(&family.latin, &given.latin),
            birth_year: born.map(PartialDate::year),
            born_on: born.and_then(PartialDate::full),
        }
    }
}

/// Adds an act that was keyed, with its notes. `false` where another act has its key.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, act: &NewAct<'_>) -> Result<bool, StoreError> {
    let (key, content) = (act.entry.key(), act.entry.content());
    let computed = Computed::of(content);
    let done = sqlx::query(
        "INSERT INTO act (id, office_id, kind, year, part, number, number_sort, given_arabic, given_latin, family_arabic, family_latin,
                          fold_arabic, fold_latin, birth_year, born_on, content, source, import_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'keyed', NULL, $17)
         ON CONFLICT (office_id, kind, year, number, part) DO NOTHING",
    )
    .bind(act.id)
    .bind(key.office_id)
    .bind(key.kind.as_str())
    .bind(key.year)
    .bind(key.part.as_str())
    .bind(key.number.as_str())
    .bind(key.number.sort())
    .bind(&content.given_name.arabic)
    .bind(&content.given_name.latin)
    .bind(&content.family_name.arabic)
    .bind(&content.family_name.latin)
    .bind(computed.fold_arabic)
    .bind(computed.fold_latin)
    .bind(computed.birth_year)
    .bind(computed.born_on)
    .bind(Json(content))
    .bind(act.created_at)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    for ((ordinal, draft), id) in (1..).zip(act.entry.notes()).zip(&act.note_ids) {
        let note = Note {
            id: *id,
            ordinal,
            draft: draft.clone(),
            author_id: Some(act.author_id),
            created_at: act.created_at,
        };
        insert_note(conn, act.id, &note).await?;
    }
    Ok(true)
}

/// Adds a note to an act.
///
/// # Errors
/// [`StoreError::LostRace`] when a note with its ordinal is there.
pub async fn insert_note(conn: &mut PgConnection, act_id: Uuid, note: &Note) -> Result<(), StoreError> {
    let draft = &note.draft;
    let inserted = sqlx::query(
        "INSERT INTO act_note (id, act_id, ordinal, noted_on, kind, text_arabic, text_latin, changes_extract, changes, author_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(note.id)
    .bind(act_id)
    .bind(note.ordinal)
    .bind(draft.date)
    .bind(draft.kind.as_str())
    .bind(&draft.text.arabic)
    .bind(&draft.text.latin)
    .bind(draft.changes_extract)
    .bind(Json(&draft.changes))
    .bind(note.author_id)
    .bind(note.created_at)
    .execute(conn)
    .await;
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if broken_constraint(&error) == Some("act_note_act_id_ordinal_key") => {
            Err(StoreError::LostRace {
                table: NOTES,
                id: act_id,
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// Keeps others from adding notes to this act until the transaction ends. An act has no row that may be changed, so none can be locked.
///
/// # Errors
/// [`StoreError`].
pub async fn lock_notes(conn: &mut PgConnection, act_id: Uuid) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('act_note:' || $1::text, 0))")
        .bind(act_id)
        .execute(conn)
        .await?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    office_id: Uuid,
    kind: String,
    year: i16,
    part: String,
    number: String,
    content: Json<ActContent>,
    source: String,
    created_at: DateTime<Utc>,
    has_scan: bool,
}

/// Reads an act with its notes.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Act>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, office_id, kind, year, part, number, content, source, created_at,
                EXISTS (SELECT FROM act_scan s WHERE s.act_id = act.id) AS has_scan
         FROM act WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let inconsistent = |column| StoreError::Inconsistent {
        table: TABLE,
        column,
        id,
    };
    Ok(Some(Act {
        key: read_key(row.office_id, &row.kind, row.year, &row.part, &row.number).map_err(inconsistent)?,
        source: Source::parse(&row.source).ok_or_else(|| inconsistent("source"))?,
        notes: notes(conn, id).await?,
        id: row.id,
        content: row.content.0,
        has_scan: row.has_scan,
        created_at: row.created_at,
    }))
}

/// The act with this key.
///
/// # Errors
/// [`StoreError`].
pub async fn id_of_key(conn: &mut PgConnection, key: &ActKey) -> Result<Option<Uuid>, StoreError> {
    let found = sqlx::query_scalar(
        "SELECT id FROM act WHERE office_id = $1 AND kind = $2 AND year = $3 AND number = $4 AND part = $5",
    )
    .bind(key.office_id)
    .bind(key.kind.as_str())
    .bind(key.year)
    .bind(key.number.as_str())
    .bind(key.part.as_str())
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// A key as its columns have it; the name of the column that cannot be one.
pub(crate) fn read_key(
    office_id: Uuid,
    kind: &str,
    year: i16,
    part: &str,
    number: &str,
) -> Result<ActKey, &'static str> {
    Ok(ActKey {
        office_id,
        kind: RegisterKind::parse(kind).ok_or("kind")?,
        year,
        part: part.parse().map_err(|_| "part")?,
        number: number.parse().map_err(|_| "number")?,
    })
}

#[derive(FromRow)]
struct NoteRow {
    id: Uuid,
    ordinal: i16,
    noted_on: NaiveDate,
    kind: String,
    text_arabic: String,
    text_latin: String,
    changes_extract: bool,
    changes: Json<Vec<ExtractChange>>,
    author_id: Option<Uuid>,
    created_at: DateTime<Utc>,
}

/// The notes of an act, first to last.
///
/// # Errors
/// [`StoreError`].
pub async fn notes(conn: &mut PgConnection, act_id: Uuid) -> Result<Vec<Note>, StoreError> {
    let rows: Vec<NoteRow> = sqlx::query_as(
        "SELECT id, ordinal, noted_on, kind, text_arabic, text_latin, changes_extract, changes, author_id, created_at
         FROM act_note WHERE act_id = $1 ORDER BY ordinal",
    )
    .bind(act_id)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(note).collect()
}

fn note(row: NoteRow) -> Result<Note, StoreError> {
    let kind = NoteKind::parse(&row.kind).ok_or(StoreError::Inconsistent {
        table: NOTES,
        column: "kind",
        id: row.id,
    })?;
    Ok(Note {
        id: row.id,
        ordinal: row.ordinal,
        draft: NoteDraft {
            date: row.noted_on,
            kind,
            text: Bilingual::new(row.text_arabic, row.text_latin),
            changes_extract: row.changes_extract,
            changes: row.changes.0,
        },
        author_id: row.author_id,
        created_at: row.created_at,
    })
}
