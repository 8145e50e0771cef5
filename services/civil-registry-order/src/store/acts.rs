//! Tables `act`, `act_note` and `act_scan`, whose rows are only ever added, and `act_known_as`, which follows the notes.

pub mod copy;
pub mod search;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::act::{
    Act, ActContent, Bilingual, Entry, ExtractChange, Note, NoteDraft, NoteKind, Source,
};
use crate::domain::act_key::{ActKey, RegisterKind};
use crate::domain::extract::KnownAs;
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
        let born = content.birth_date.gregorian;
        Self::from(&content.given_name, &content.family_name, born)
    }

    /// From what a person is known as.
    pub fn of_known_as(known_as: &KnownAs) -> Self {
        Self::from(&known_as.given_name, &known_as.family_name, known_as.birth_date)
    }

    fn from(given: &Bilingual, family: &Bilingual, born: Option<PartialDate>) -> Self {
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
    if let Some(known_as) = KnownAs::by_notes(content, act.entry.notes()) {
        set_known_as(conn, (act.id, key.office_id, key.kind), &known_as).await?;
    }
    Ok(true)
}

/// Says what the person of an act of this office and register is known as since its last note.
///
/// # Errors
/// [`StoreError`].
pub async fn set_known_as(
    conn: &mut PgConnection,
    (act_id, office_id, kind): (Uuid, Uuid, RegisterKind),
    known_as: &KnownAs,
) -> Result<(), StoreError> {
    let computed = Computed::of_known_as(known_as);
    sqlx::query(
        "INSERT INTO act_known_as (act_id, office_id, kind, given_arabic, given_latin, family_arabic, family_latin, birth_date,
                                   fold_arabic, fold_latin, birth_year, born_on)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (act_id) DO UPDATE
         SET given_arabic = excluded.given_arabic, given_latin = excluded.given_latin, family_arabic = excluded.family_arabic,
             family_latin = excluded.family_latin, birth_date = excluded.birth_date, fold_arabic = excluded.fold_arabic,
             fold_latin = excluded.fold_latin, birth_year = excluded.birth_year, born_on = excluded.born_on",
    )
    .bind(act_id)
    .bind(office_id)
    .bind(kind.as_str())
    .bind(&known_as.given_name.arabic)
    .bind(&known_as.given_name.latin)
    .bind(&known_as.family_name.arabic)
    .bind(&known_as.family_name.latin)
    .bind(known_as.birth_date.map(|date| date.to_string()))
    .bind(computed.fold_arabic)
    .bind(computed.fold_latin)
    .bind(computed.birth_year)
    .bind(computed.born_on)
    .execute(conn)
    .await?;
    Ok(())
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

/// Keeps others from adding notes to these acts until the transaction ends. An act has no row that may be changed, so none can be locked.
///
/// # Errors
/// [`StoreError`].
pub async fn lock_notes(conn: &mut PgConnection, act_ids: &[Uuid]) -> Result<(), StoreError> {
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended('act_note:' || id::text, 0))
               FROM (SELECT DISTINCT id FROM unnest($1::uuid[]) AS named (id) ORDER BY id) AS acts";
    sqlx::query(sql).bind(act_ids).execute(conn).await?;
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
    Ok(find_all(conn, &[id]).await?.remove(&id))
}

/// Reads acts with their notes, by id. Those that are not there are left out.
///
/// # Errors
/// [`StoreError`].
pub async fn find_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Act>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, office_id, kind, year, part, number, content, source, created_at,
                EXISTS (SELECT FROM act_scan s WHERE s.act_id = act.id) AS has_scan
         FROM act WHERE id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(&mut *conn)
    .await?;
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let mut notes = notes(conn, ids).await?;
    let act = |row: Row| {
        let inconsistent = |column| StoreError::Inconsistent {
            table: TABLE,
            column,
            id: row.id,
        };
        let act = Act {
            key: read_key(row.office_id, &row.kind, row.year, &row.part, &row.number)
                .map_err(inconsistent)?,
            source: Source::parse(&row.source).ok_or_else(|| inconsistent("source"))?,
            notes: notes.remove(&row.id).unwrap_or_default(),
            id: row.id,
            content: row.content.0,
            has_scan: row.has_scan,
            created_at: row.created_at,
        };
        Ok((act.id, act))
    };
    rows.into_iter().map(act).collect()
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
    act_id: Uuid,
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

/// The notes of acts, by act, first to last.
///
/// # Errors
/// [`StoreError`].
pub async fn notes(
    conn: &mut PgConnection,
    act_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Note>>, StoreError> {
    let rows: Vec<NoteRow> = sqlx::query_as(
        "SELECT id, act_id, ordinal, noted_on, kind, text_arabic, text_latin, changes_extract, changes, author_id, created_at
         FROM act_note WHERE act_id = ANY($1) ORDER BY act_id, ordinal",
    )
    .bind(act_ids)
    .fetch_all(conn)
    .await?;
    let mut notes: HashMap<Uuid, Vec<Note>> = HashMap::new();
    for row in rows {
        notes.entry(row.act_id).or_default().push(note(row)?);
    }
    Ok(notes)
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
