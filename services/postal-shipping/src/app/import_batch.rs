use csv::StringRecord;
use serde::{Deserialize, Serialize};

use super::batch_columns::{Columns, record};
use super::receive_webhook::{check_size, key_of, reused};
use super::take_events::take_events;
use super::{App, Error};
use crate::domain::carrier_event::{CarrierEvent, RawEvent};
use crate::domain::tracking_id::TrackingId;
use crate::domain::vocabulary::Source;
use crate::domain::webhook::Signed;
use crate::store::messages::{self, Claimed};

const LARGEST_BODY: usize = 8 * 1024 * 1024;
const MOST_ROWS: usize = 20_000;
/// Faults in an answer: the first of a file that is wrong throughout.
const MOST_FAULTS: usize = 1_000;
/// Rows of one transaction.
const CHUNK: usize = 500;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub taken: u32,
    pub known_before: u32,
    /// The first faults.
    pub refused: Vec<RefusedRow>,
    /// All faults.
    #[serde(default)]
    pub faults: u32,
    /// Columns that nobody here knows, as the header names them.
    #[serde(default)]
    pub ignored_columns: Vec<String>,
}

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// 1 is the header.
    pub line: u64,
    pub field: String,
    pub reason: String,
    pub description: String,
}

impl RefusedRow {
    fn new(line: u64, field: &str, reason: &str, description: impl Into<String>) -> Self {
        Self {
            line,
            field: field.to_owned(),
            reason: reason.to_owned(),
            description: description.into(),
        }
    }
}

/// Takes a signed file of the carrier: its good rows, chunk by chunk, so that a file that was interrupted is simply sent again.
///
/// # Errors
/// [`Error::NotSigned`]; [`Error::Invalid`] when the file as a whole is none; [`Error::Taken`] when its id was another file's.
pub async fn import_batch(app: &App, message: Signed<'_>) -> Result<Answer, Error> {
    check_size("csv", message.body, LARGEST_BODY)?;
    message.verify(&app.inbound_secrets, app.ambient.now())?;
    let key = key_of(Source::Csv, &message);
    let rows = parse(app, message.body)?;
    let mut conn = app.pool.acquire().await?;
    match messages::claim(&mut conn, key, app.ambient.now()).await? {
        Claimed::New | Claimed::Begun => {}
        Claimed::Done(answer) => return Ok(serde_json::from_slice(&answer).unwrap_or_default()),
        Claimed::Reused => return Err(reused()),
    }
    drop(conn);
    let mut answer = Answer {
        refused: rows.refused,
        ignored_columns: rows.ignored_columns,
        ..Answer::default()
    };
    for chunk in rows.good.chunks(CHUNK) {
        take_chunk(app, chunk, &mut answer).await?;
    }
    answer.refused.sort_by_key(|row| row.line);
    answer.faults = u32::try_from(answer.refused.len()).unwrap_or(u32::MAX);
    answer.refused.truncate(MOST_FAULTS);
    let mut conn = app.pool.acquire().await?;
    messages::complete(&mut conn, key, &serde_json::to_vec(&answer).unwrap_or_default()).await?;
    Ok(answer)
}

async fn take_chunk(app: &App, chunk: &[(u64, CarrierEvent)], answer: &mut Answer) -> Result<(), Error> {
    let mut transaction = app.pool.begin().await?;
    let events = chunk.iter().map(|(_, event)| event.clone()).collect();
    let taken = take_events(&mut transaction, app, Source::Csv, events).await?;
    transaction.commit().await?;
    answer.taken += taken.taken;
    answer.known_before += taken.known_before;
    let not_ours = |number: &TrackingId| taken.unknown.contains(number);
    for (line, event) in chunk {
        if not_ours(&event.tracking_id) {
            let text = "no item of ours has this number; the row is kept apart";
            answer
                .refused
                .push(RefusedRow::new(*line, "tracking_id", "UNKNOWN_ITEM", text));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Rows {
    good: Vec<(u64, CarrierEvent)>,
    refused: Vec<RefusedRow>,
    ignored_columns: Vec<String>,
}

/// Each line is a record of its own: no field of ours has a line break, and a quote that was never closed would otherwise take the rest of the file
/// with it.
fn parse(app: &App, body: &[u8]) -> Result<Rows, Error> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let mut lines = (1..)
        .zip(body.split(|byte| *byte == b'\n'))
        .map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line)))
        .filter(|(_, line)| !line.is_empty());
    let (_, header) = lines.next().unwrap_or_default();
    let columns = Columns::read(header).map_err(|fault| Error::faults(vec![fault.within("csv")]))?;
    let mut rows = Rows {
        ignored_columns: columns.ignored().to_vec(),
        ..Rows::default()
    };
    for (index, (number, line)) in lines.enumerate() {
        if index == MOST_ROWS {
            let text = format!("has at most {MOST_ROWS} rows; send several files");
            return Err(Error::field("csv", "TOO_LARGE", text));
        }
        match record(line, columns.delimiter()) {
            Ok(record) => row(app, &columns, number, &record, &mut rows),
            Err((reason, text)) => rows.refused.push(RefusedRow::new(number, "", reason, text)),
        }
    }
    Ok(rows)
}

fn row(app: &App, columns: &Columns, line: u64, record: &StringRecord, rows: &mut Rows) {
    if record.len() != columns.count() {
        let text = format!(
            "has {} fields where the header has {}; put a text that holds a separator in quotes",
            record.len(),
            columns.count()
        );
        rows.refused.push(RefusedRow::new(line, "", "FIELD_COUNT", text));
        return;
    }
    let mut raw = RawEvent::default();
    for (name, text) in columns.known().zip(record) {
        if let Some(field) = name.and_then(|name| raw.field(name)) {
            text.clone_into(field);
        }
    }
    match raw.check(app.ambient.now()) {
        Ok(event) => rows.good.push((line, event)),
        Err(faults) => rows.refused.extend(
            faults
                .into_iter()
                .map(|fault| RefusedRow::new(line, &fault.field, fault.reason, fault.description)),
        ),
    }
}
