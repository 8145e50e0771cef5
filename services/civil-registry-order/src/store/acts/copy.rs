//! Many acts at once, straight into the tables: `COPY … (FORMAT binary)` (PostgreSQL, COPY, "Binary Format").

use std::ops::Range;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Computed;
use crate::domain::act::{Entry, NoteDraft};
use crate::domain::act_key::ActKey;
use crate::domain::extract::KnownAs;
use crate::store::StoreError;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: &[u8] = &[0xff, 0xff];
/// 1 January 2000, where PostgreSQL counts days and microseconds from, in days and in microseconds of Unix.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// The version that a binary `jsonb` begins with.
const JSONB_VERSION: u8 = 1;

const ACTS: &str = "COPY act (id, office_id, kind, year, part, number, number_sort, given_arabic, given_latin, family_arabic,
     family_latin, fold_arabic, fold_latin, birth_year, born_on, content, source, import_id, created_at)
     FROM STDIN (FORMAT binary)";
const ACT_COLUMNS: i16 = 19;
const NOTES: &str = "COPY act_note (id, act_id, ordinal, noted_on, kind, text_arabic, text_latin, changes_extract, changes, created_at)
     FROM STDIN (FORMAT binary)";
const NOTE_COLUMNS: i16 = 10;
const KNOWN_AS: &str =
    "COPY act_known_as (act_id, office_id, kind, given_arabic, given_latin, family_arabic, family_latin, birth_date, fold_arabic,
     fold_latin, birth_year, born_on) FROM STDIN (FORMAT binary)";
const KNOWN_AS_COLUMNS: i16 = 12;

/// Acts and their notes as the server reads them.
#[derive(Debug, Default)]
pub struct Rows {
    acts: Vec<u8>,
    notes: Vec<u8>,
    known_as: Vec<u8>,
    /// Where each act, its notes and what it is known as are.
    spans: Vec<[Range<usize>; 3]>,
}

/// What an imported act has beside what its file says.
#[derive(Debug, Clone, Copy)]
pub struct Imported {
    pub import_id: Uuid,
    pub created_at: DateTime<Utc>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> usize {
        self.acts.len() + self.notes.len() + self.known_as.len()
    }

    /// Appends an act; `next_id` gives its id and those of its notes.
    ///
    /// # Errors
    /// What JSON does not take, which no checked act has.
    pub fn push(
        &mut self,
        entry: &Entry,
        imported: Imported,
        mut next_id: impl FnMut() -> Uuid,
    ) -> Result<(), serde_json::Error> {
        let from = self.ends();
        let id = next_id();
        act(&mut self.acts, id, entry, imported)?;
        for (ordinal, draft) in (1..).zip(entry.notes()) {
            note(
                &mut self.notes,
                next_id(),
                id,
                ordinal,
                draft,
                imported.created_at,
            )?;
        }
        if let Some(names) = KnownAs::by_notes(entry.content(), entry.notes()) {
            known_as(&mut self.known_as, id, entry.key(), &names);
        }
        self.span(from);
        Ok(())
    }

    fn ends(&self) -> [usize; 3] {
        [self.acts.len(), self.notes.len(), self.known_as.len()]
    }

    fn span(&mut self, from: [usize; 3]) {
        let [acts, notes, known_as] = self.ends();
        self.spans
            .push([from[0]..acts, from[1]..notes, from[2]..known_as]);
    }

    /// The rows but those at these places, in order.
    pub fn without(&self, places: &[usize]) -> Self {
        self.those(|place| !places.contains(&place))
    }

    /// The rows from one place up to another.
    pub fn part(&self, span: Range<usize>) -> Self {
        self.those(|place| span.contains(&place))
    }

    fn those(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self::default();
        for (place, [act, notes, known_as]) in self.spans.iter().enumerate() {
            if keep(place) {
                let from = kept.ends();
                kept.acts.extend_from_slice(&self.acts[act.clone()]);
                kept.notes.extend_from_slice(&self.notes[notes.clone()]);
                kept.known_as.extend_from_slice(&self.known_as[known_as.clone()]);
                kept.span(from);
            }
        }
        kept
    }

    /// Sends the rows.
    ///
    /// # Errors
    /// [`StoreError`]; a unique violation when an act is there already.
    pub async fn send(&self, conn: &mut PgConnection) -> Result<(), StoreError> {
        if !self.is_empty() {
            copy(conn, ACTS, &self.acts).await?;
        }
        if !self.notes.is_empty() {
            copy(conn, NOTES, &self.notes).await?;
        }
        if !self.known_as.is_empty() {
            copy(conn, KNOWN_AS, &self.known_as).await?;
        }
        Ok(())
    }
}

async fn copy(conn: &mut PgConnection, statement: &str, rows: &[u8]) -> Result<(), sqlx::Error> {
    let mut copying = conn.copy_in_raw(statement).await?;
    for part in [HEADER, rows, TRAILER] {
        copying.send(part).await?;
    }
    copying.finish().await?;
    Ok(())
}

/// Which of these keys have an act, by place, and the import it came with.
///
/// # Errors
/// [`StoreError`].
pub async fn existing(
    conn: &mut PgConnection,
    keys: &[ActKey],
) -> Result<Vec<(usize, Option<Uuid>)>, StoreError> {
    let rows: Vec<(i64, Option<Uuid>)> = sqlx::query_as(
        "SELECT k.place, a.import_id
         FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::text[])
              WITH ORDINALITY AS k (office_id, kind, year, number, part, place)
         JOIN act a USING (office_id, kind, year, number, part) ORDER BY k.place",
    )
    .bind(keys.iter().map(|key| key.office_id).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.kind.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.year).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.number.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.part.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(place, import)| Some((usize::try_from(place).ok()?.checked_sub(1)?, import)))
        .collect())
}

fn act(out: &mut Vec<u8>, id: Uuid, entry: &Entry, imported: Imported) -> Result<(), serde_json::Error> {
    let (key, content) = (entry.key(), entry.content());
    let computed = Computed::of(content);
    out.extend_from_slice(&ACT_COLUMNS.to_be_bytes());
    field(out, id.as_bytes());
    field(out, key.office_id.as_bytes());
    field(out, key.kind.as_str().as_bytes());
    field(out, &key.year.to_be_bytes());
    field(out, key.part.as_str().as_bytes());
    field(out, key.number.as_str().as_bytes());
    field(out, &key.number.sort().to_be_bytes());
    field(out, content.given_name.arabic.as_bytes());
    field(out, content.given_name.latin.as_bytes());
    field(out, content.family_name.arabic.as_bytes());
    field(out, content.family_name.latin.as_bytes());
    looked_for_by(out, &computed);
    json(out, content)?;
    field(out, b"import");
    field(out, imported.import_id.as_bytes());
    field(out, &micros(imported.created_at));
    Ok(())
}

fn known_as(out: &mut Vec<u8>, act_id: Uuid, key: &ActKey, known_as: &KnownAs) {
    out.extend_from_slice(&KNOWN_AS_COLUMNS.to_be_bytes());
    field(out, act_id.as_bytes());
    field(out, key.office_id.as_bytes());
    field(out, key.kind.as_str().as_bytes());
    field(out, known_as.given_name.arabic.as_bytes());
    field(out, known_as.given_name.latin.as_bytes());
    field(out, known_as.family_name.arabic.as_bytes());
    field(out, known_as.family_name.latin.as_bytes());
    let birth_date = known_as.birth_date.map(|date| date.to_string());
    optional(out, birth_date.as_deref().map(str::as_bytes));
    looked_for_by(out, &Computed::of_known_as(known_as));
}

fn looked_for_by(out: &mut Vec<u8>, computed: &Computed) {
    optional(out, computed.fold_arabic.as_deref().map(str::as_bytes));
    optional(out, computed.fold_latin.as_deref().map(str::as_bytes));
    let birth_year = computed.birth_year.map(i16::to_be_bytes);
    optional(out, birth_year.as_ref().map(<[u8; 2]>::as_slice));
    let born_on = computed.born_on.map(days);
    optional(out, born_on.as_ref().map(<[u8; 4]>::as_slice));
}

fn note(
    out: &mut Vec<u8>,
    id: Uuid,
    act_id: Uuid,
    ordinal: i16,
    draft: &NoteDraft,
    created_at: DateTime<Utc>,
) -> Result<(), serde_json::Error> {
    out.extend_from_slice(&NOTE_COLUMNS.to_be_bytes());
    field(out, id.as_bytes());
    field(out, act_id.as_bytes());
    field(out, &ordinal.to_be_bytes());
    field(out, &days(draft.date));
    field(out, draft.kind.as_str().as_bytes());
    field(out, draft.text.arabic.as_bytes());
    field(out, draft.text.latin.as_bytes());
    field(out, &[u8::from(draft.changes_extract)]);
    json(out, &draft.changes)?;
    field(out, &micros(created_at));
    Ok(())
}

fn field(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&length(bytes.len()));
    out.extend_from_slice(bytes);
}

fn optional(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => field(out, bytes),
        None => out.extend_from_slice(&(-1i32).to_be_bytes()),
    }
}

fn json(out: &mut Vec<u8>, value: &impl serde::Serialize) -> Result<(), serde_json::Error> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.push(JSONB_VERSION);
    serde_json::to_writer(&mut *out, value)?;
    let written = length(out.len() - at - 4);
    out[at..at + 4].copy_from_slice(&written);
    Ok(())
}

/// Of one field: a few kilobytes.
fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap_or(i32::MAX).to_be_bytes()
}

fn days(date: NaiveDate) -> [u8; 4] {
    let unix = date.signed_duration_since(NaiveDate::default()).num_days();
    (i32::try_from(unix).unwrap_or(i32::MAX) - EPOCH_DAYS).to_be_bytes()
}

fn micros(at: DateTime<Utc>) -> [u8; 8] {
    (at.timestamp_micros() - EPOCH_MICROS).to_be_bytes()
}
