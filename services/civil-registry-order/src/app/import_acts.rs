//! Bulk load of acts from a file: validated row by row, copied chunk by chunk straight into the table. Where a chunk ends is committed with
//! its acts, so that an import that was cut off goes on there; what is refused stands in a report.

mod chunk;
mod offices;
mod records;
mod report;
mod row;
mod unfit;

use std::io::{BufReader, Chain, Cursor, Read};

use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wathiq_chassis::{Ambient, civil_date};
use wathiq_outbox::audit::{self, AuditEntry};
use wathiq_outbox::{AuditError, OutboxError};

use crate::domain::act::Fault;
use crate::domain::import::{Format, Import, Position, State};
use crate::events::acts::imported;
use crate::store::acts::copy;
use crate::store::{StoreError, broken_constraint, imports, is_about_data};
use chunk::{ALREADY_DIGITISED, Chunk, Chunks, DUPLICATE_IN_FILE, duplicate_in_file};
pub use offices::Offices;
use records::Records;
pub use report::ReportAt;
use report::{Refusal, Report};
use row::Columns;

/// By how much of its beginning a file is known again.
const HEAD_BYTES: u64 = 64 * 1024;
/// Chunks that are read while one is copied.
const CHUNKS_AHEAD: usize = 2;
/// How often a chunk is tried again when others register its acts at the same time.
const MOST_TRIES: usize = 5;
const PRINCIPAL: &str = "command:import";

/// What to load.
#[derive(Debug, Clone)]
pub struct Asked {
    pub format: Format,
    /// Goes on with the unfinished import of this file.
    pub resume: bool,
    pub report: ReportAt,
    pub offices: Offices,
}

/// Why nothing, or not all, was loaded.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("another import is under way")]
    UnderWay,
    #[error("no import of this file is unfinished")]
    NothingToResume,
    #[error("the file is not the one whose import was begun")]
    OtherFile,
    #[error("the file was begun in the other format")]
    OtherFormat,
    #[error("the header cannot be used: {}", described(.0))]
    Header(Vec<Fault>),
    #[error("the file cannot be read")]
    Read(#[source] std::io::Error),
    #[error("the report cannot be written")]
    Report(#[source] std::io::Error),
    #[error(
        "the file named for the report is not that of this import: it is left as it is, and another must be named"
    )]
    ReportOfOther,
    #[error("other acts with the same keys keep coming in")]
    Contended,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl From<sqlx::Error> for ImportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Database(error))
    }
}

fn described(faults: &[Fault]) -> String {
    let each: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.field, fault.reason))
        .collect();
    each.join(", ")
}

/// Loads a file as far as it goes, or until it is to stop; `progress` is told after each chunk.
///
/// # Errors
/// [`ImportError`]; what was committed before stays, and a next import with `resume` goes on after it.
pub async fn import_acts<R: Read + Send + 'static>(
    conn: &mut PgConnection,
    ambient: &Ambient,
    input: R,
    asked: Asked,
    stop: &CancellationToken,
    mut progress: impl FnMut(&Import),
) -> Result<Import, ImportError> {
    if !imports::try_lock(conn).await? {
        return Err(ImportError::UnderWay);
    }
    let format = asked.format;
    let opened = tokio::task::spawn_blocking(move || Opened::new(input, format))
        .await
        .map_err(|error| ImportError::Read(std::io::Error::other(error)))??;
    let (mut import, new) = find(conn, ambient, &asked, opened.head_sha256).await?;
    // All that can be wrong with the command is found before anything is recorded.
    let path = asked.report.path(import.id);
    let report = if new {
        let report = Report::begin(&path)?;
        // The header is the import's from the first row on: whatever follows it before the first chunk is committed is cut off again.
        (import.position.report_bytes, import.position.report_sha256) = report.standing();
        imports::insert(conn, &import).await?;
        report
    } else {
        Report::open(&path, &import.position)?
    };
    let chunks = Reading {
        offices: asked.offices,
        import: import.clone(),
        ambient: ambient.clone(),
    };
    let (sender, mut receiver) = mpsc::channel(CHUNKS_AHEAD);
    // Reading and checking keep one processor busy while the database keeps another.
    let reader = tokio::task::spawn_blocking(move || read_all(chunks, opened, &sender));
    let mut work = Work {
        conn,
        ambient,
        report,
    };
    let mut last = false;
    while !last && !stop.is_cancelled() {
        let Some(chunk) = receiver.recv().await else { break };
        last = chunk.last;
        import = work.take(import, chunk).await?;
        progress(&import);
    }
    // A reader that still has chunks to give ends when nobody takes them.
    drop(receiver);
    reader
        .await
        .map_err(|error| ImportError::Read(std::io::Error::other(error)))??;
    work.end(import, last).await
}

type Input<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

/// A file whose beginning was looked at.
struct Opened<R> {
    head_sha256: [u8; 32],
    /// After the header.
    records: Records<Input<R>>,
    /// Of a CSV file.
    columns: Option<Columns>,
}

impl<R: Read> Opened<R> {
    fn new(mut input: R, format: Format) -> Result<Self, ImportError> {
        let mut head = Vec::new();
        (&mut input)
            .take(HEAD_BYTES)
            .read_to_end(&mut head)
            .map_err(ImportError::Read)?;
        let head_sha256 = Sha256::digest(&head).into();
        let input = BufReader::with_capacity(256 * 1024, Cursor::new(head).chain(input));
        let mut records = Records::new(input, format);
        let mut columns = None;
        if format == Format::Csv {
            let header = records.next().map_err(ImportError::Read)?;
            let header = header.and_then(|record| record.bytes).unwrap_or_default();
            let read = Columns::read(&header).map_err(ImportError::Header)?;
            records.rows_are(read.separator(), read.count());
            columns = Some(read);
        }
        Ok(Self {
            head_sha256,
            records,
            columns,
        })
    }
}

/// The import to go on with, or a new one, and whether it is new.
async fn find(
    conn: &mut PgConnection,
    ambient: &Ambient,
    asked: &Asked,
    head_sha256: [u8; 32],
) -> Result<(Import, bool), ImportError> {
    let unfinished = imports::unfinished(conn, &head_sha256).await?;
    match unfinished {
        Some(import) if asked.resume => {
            if import.format != asked.format {
                return Err(ImportError::OtherFormat);
            }
            let import = Import {
                state: State::Running,
                ..import
            };
            Ok((import, false))
        }
        None if asked.resume => Err(ImportError::NothingToResume),
        // Acts of an earlier import that was not resumed are refused as duplicates, one by one.
        _ => {
            let import = Import {
                id: ambient.uuid_v7(),
                version: 0,
                state: State::Running,
                format: asked.format,
                head_sha256,
                position: Position {
                    prefix_sha256: Sha256::digest(b"").into(),
                    ..Position::default()
                },
                created_at: ambient.now(),
            };
            Ok((import, true))
        }
    }
}

/// What the reader needs.
struct Reading {
    offices: Offices,
    import: Import,
    ambient: Ambient,
}

/// Reads to the end, or until nobody takes chunks any more.
fn read_all<R: Read>(
    reading: Reading,
    opened: Opened<R>,
    sender: &mpsc::Sender<Chunk>,
) -> Result<(), ImportError> {
    let Opened {
        mut records, columns, ..
    } = opened;
    let done = reading.import.position;
    if done.byte_offset > 0 {
        records
            .skip_to(done.byte_offset, done.lines)
            .map_err(|_| ImportError::OtherFile)?;
        if records.position().2 != done.prefix_sha256 {
            return Err(ImportError::OtherFile);
        }
    }
    let mut chunks = Chunks {
        records,
        columns,
        offices: reading.offices,
        import_id: reading.import.id,
        today: civil_date(reading.ambient.now()),
        ambient: reading.ambient,
    };
    loop {
        let chunk = chunks.next().map_err(ImportError::Read)?;
        let last = chunk.last;
        if sender.blocking_send(chunk).is_err() || last {
            return Ok(());
        }
    }
}

struct Work<'a> {
    conn: &'a mut PgConnection,
    ambient: &'a Ambient,
    report: Report,
}

impl Work<'_> {
    /// Commits a chunk with where the import stands after it.
    async fn take(&mut self, import: Import, mut chunk: Chunk) -> Result<Import, ImportError> {
        for _ in 0..MOST_TRIES {
            let next = self.after(&import, &chunk)?;
            match self.commit(&next, &chunk).await {
                Ok(()) => {
                    self.report.keep();
                    return Ok(next);
                }
                Err(StoreError::Database(error)) if broken_constraint(&error) == Some("act_natural_key") => {
                    self.refuse_existing(import.id, &mut chunk).await?;
                }
                Err(StoreError::Database(error)) if is_about_data(&error) => {
                    unfit::refuse(self.conn, &mut chunk).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(ImportError::Contended)
    }

    /// Where the import stands after a chunk. The report is written before the chunk is committed, and cut back where that fails.
    fn after(&mut self, import: &Import, chunk: &Chunk) -> Result<Import, ImportError> {
        let before = import.position;
        let (report_bytes, report_sha256) =
            self.report.write(&chunk.refusals).map_err(ImportError::Report)?;
        let (byte_offset, lines, prefix_sha256) = chunk.position;
        let position = Position {
            byte_offset,
            lines,
            prefix_sha256,
            taken: before.taken + chunk.rows.len() as u64,
            refused: before.refused + chunk.refusals.len() as u64,
            duplicates: before.duplicates + duplicates(&chunk.refusals),
            report_bytes,
            report_sha256,
        };
        Ok(Import {
            position,
            ..import.clone()
        })
    }

    async fn commit(&mut self, import: &Import, chunk: &Chunk) -> Result<(), StoreError> {
        let mut transaction = self.conn.begin().await?;
        chunk.rows.send(&mut transaction).await?;
        imports::save(&mut transaction, import, self.ambient.now()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes out of a chunk what is in the table already.
    async fn refuse_existing(&mut self, import_id: Uuid, chunk: &mut Chunk) -> Result<(), ImportError> {
        let existing = copy::existing(self.conn, &chunk.keys).await?;
        let places: Vec<usize> = existing.iter().map(|(place, _)| *place).collect();
        for (place, import) in &existing {
            let fault = if *import == Some(import_id) {
                duplicate_in_file("the same act stands further up in the file".to_owned())
            } else {
                Fault::new("number", ALREADY_DIGITISED, "the act is digitised already")
            };
            chunk.refusals.push(Refusal {
                line: chunk.lines[*place],
                faults: vec![fault],
            });
        }
        chunk.drop_rows(&places);
        Ok(())
    }

    /// Records that the import ended, or that it stopped.
    async fn end(&mut self, import: Import, finished: bool) -> Result<Import, ImportError> {
        let import = Import {
            version: import.version + 1,
            state: if finished { State::Finished } else { State::Paused },
            ..import
        };
        let position = import.position;
        let entry = AuditEntry {
            person_id: None,
            principal: PRINCIPAL,
            action: "act.import",
            aggregate: "act_import",
            aggregate_id: import.id,
            outcome: "done",
            reason: None,
            details: json!({
                "state": import.state.as_str(), "taken": position.taken, "refused": position.refused,
                "duplicates": position.duplicates, "sha256": data_encoding::HEXLOWER.encode(&position.prefix_sha256),
            }),
        };
        let mut transaction = self.conn.begin().await?;
        imports::save(&mut transaction, &import, self.ambient.now()).await?;
        wathiq_outbox::append(&mut transaction, self.ambient, imported(&import, finished)).await?;
        audit::record(&mut transaction, self.ambient, entry).await?;
        transaction.commit().await?;
        Ok(import)
    }
}

fn duplicates(refusals: &[Refusal]) -> u64 {
    refusals
        .iter()
        .flat_map(|refusal| &refusal.faults)
        .filter(|fault| [DUPLICATE_IN_FILE, ALREADY_DIGITISED].contains(&fault.reason))
        .count() as u64
}
