//! Records become rows for the database, many at a time.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::io::{self, BufRead};

use chrono::NaiveDate;
use uuid::Uuid;
use wathiq_chassis::Ambient;

use super::offices::Offices;
use super::records::{LONGEST, Record, Records};
use super::report::Refusal;
use super::row::{self, Columns};
use crate::domain::act::{Draft, Entry, Fault, check};
use crate::domain::act_key::ActKey;
use crate::store::acts::copy::{Imported, Rows};

/// Rows of a chunk, and its bytes: what is done again after a crash, and what waits in memory.
const ROWS: usize = 2_000;
const BYTES: usize = 8 * 1024 * 1024;

/// Some records of a file, read.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) rows: Rows,
    /// The key and the line of each row.
    pub(super) keys: Vec<ActKey>,
    pub(super) lines: Vec<u64>,
    pub(super) refusals: Vec<Refusal>,
    /// Where the file stands after it: bytes, lines and their SHA-256.
    pub(super) position: (u64, u64, [u8; 32]),
    /// Nothing comes after it.
    pub(super) last: bool,
}

impl Chunk {
    /// Takes out the rows at these places, whose refusals were added.
    pub(super) fn drop_rows(&mut self, places: &[usize]) {
        self.refusals.sort_by_key(|refusal| refusal.line);
        self.rows = self.rows.without(places);
        self.keys = kept(std::mem::take(&mut self.keys), places);
        self.lines = kept(std::mem::take(&mut self.lines), places);
    }
}

fn kept<T>(items: Vec<T>, places: &[usize]) -> Vec<T> {
    items
        .into_iter()
        .enumerate()
        .filter(|(place, _)| !places.contains(place))
        .map(|(_, item)| item)
        .collect()
}

/// Reads chunks.
pub(super) struct Chunks<R> {
    pub(super) records: Records<R>,
    /// Of a CSV file.
    pub(super) columns: Option<Columns>,
    pub(super) offices: Offices,
    pub(super) import_id: Uuid,
    pub(super) today: NaiveDate,
    pub(super) ambient: Ambient,
}

impl<R: BufRead> Chunks<R> {
    /// The next chunk.
    pub(super) fn next(&mut self) -> io::Result<Chunk> {
        let mut chunk = Chunk::default();
        let mut seen = HashMap::new();
        let imported = Imported {
            import_id: self.import_id,
            created_at: self.ambient.now(),
        };
        while chunk.rows.len() + chunk.refusals.len() < ROWS && chunk.rows.bytes() < BYTES {
            let Some(record) = self.records.next()? else {
                chunk.last = true;
                break;
            };
            let line = record.line;
            match self.read(record).and_then(|entry| once(&mut seen, line, entry)) {
                Ok(entry) => {
                    let ambient = &self.ambient;
                    chunk.rows.push(&entry, imported, || ambient.uuid_v7())?;
                    chunk.keys.push(entry.key().clone());
                    chunk.lines.push(line);
                }
                Err(faults) => chunk.refusals.push(Refusal { line, faults }),
            }
        }
        chunk.position = self.records.position();
        Ok(chunk)
    }

    fn read(&self, record: Record) -> Result<Entry, Vec<Fault>> {
        let Some(bytes) = record.bytes else {
            let text = format!("a row has at most {LONGEST} bytes");
            return Err(vec![Fault::new("", "ROW_TOO_LONG", text)]);
        };
        let draft: Draft = match &self.columns {
            Some(columns) => columns.draft(&bytes)?,
            None => row::of_json(&bytes)?,
        };
        match self.offices.resolve(&draft.office) {
            Ok(office_id) => check::entry(office_id, draft, self.today),
            Err(fault) => {
                let others = check::entry(Uuid::nil(), draft, self.today).err();
                Err(std::iter::once(fault).chain(others.unwrap_or_default()).collect())
            }
        }
    }
}

/// Lets each act through once in a chunk.
fn once(seen: &mut HashMap<ActKey, u64>, line: u64, entry: Entry) -> Result<Entry, Vec<Fault>> {
    match seen.entry(entry.key().clone()) {
        Slot::Occupied(first) => {
            let text = format!("the same act stands in line {}", first.get());
            Err(vec![duplicate_in_file(text)])
        }
        Slot::Vacant(slot) => {
            slot.insert(line);
            Ok(entry)
        }
    }
}

/// The act stands further up in the file.
pub(super) fn duplicate_in_file(text: String) -> Fault {
    Fault::new("number", DUPLICATE_IN_FILE, text)
}

/// Reasons that count as duplicates.
pub(super) const DUPLICATE_IN_FILE: &str = "DUPLICATE_IN_FILE";
pub(super) const ALREADY_DIGITISED: &str = "ALREADY_DIGITISED";
