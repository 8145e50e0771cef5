//! The header line of a carrier's file, and records as it lays them out. Spreadsheets write a semicolon where the comma divides numbers, and
//! carriers have columns of their own beside ours.

use csv::StringRecord;

use crate::domain::carrier_event::FIELDS;
use crate::domain::party::Fault;

const REQUIRED: [&str; 3] = ["tracking_id", "code", "event_time"];
/// Columns that an answer names, and their longest names.
const MOST_NAMED: usize = 50;
const LONGEST_NAMED: usize = 60;

/// The columns of a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    delimiter: u8,
    /// Ours by name; none where the column is the carrier's own.
    known: Vec<Option<&'static str>>,
    ignored: Vec<String>,
}

impl Columns {
    /// Reads the header line: names of our columns in any order and case, others among them.
    ///
    /// # Errors
    /// [`Fault`], which names the column and what to do.
    pub(super) fn read(line: &[u8]) -> Result<Self, Fault> {
        let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
        let delimiter = if count(b';') > count(b',') { b';' } else { b',' };
        let names = record(line, delimiter).map_err(|_| no_header())?;
        let mut columns = Self {
            delimiter,
            known: Vec::with_capacity(names.len()),
            ignored: Vec::new(),
        };
        for name in names.iter().map(str::trim) {
            let known = FIELDS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
            if known.is_some() && columns.known.contains(&known) {
                return Err(fault(format!(
                    "has the column {name} twice; leave one of them out"
                )));
            }
            if known.is_none() && !name.is_empty() && columns.ignored.len() < MOST_NAMED {
                columns.ignored.push(name.chars().take(LONGEST_NAMED).collect());
            }
            columns.known.push(known);
        }
        columns.check()
    }

    fn check(self) -> Result<Self, Fault> {
        let missing = |name: &&&str| !self.known.contains(&Some(**name));
        let missing: Vec<&str> = REQUIRED.iter().filter(missing).copied().collect();
        if missing.is_empty() {
            return Ok(self);
        }
        if self.known.iter().all(Option::is_none) {
            return Err(no_header());
        }
        let text = format!(
            "has no column {}; name it in the header line and fill it in each row",
            missing.join(" and no column ")
        );
        Err(fault(text))
    }

    pub(super) const fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    pub(super) fn known(&self) -> impl Iterator<Item = Option<&'static str>> {
        self.known.iter().copied()
    }

    pub(super) fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

/// The record of one line.
pub(super) fn record(line: &[u8], delimiter: u8) -> Result<StringRecord, (&'static str, &'static str)> {
    const OPEN_QUOTE: (&str, &str) = (
        "OPEN_QUOTE",
        "has a quote that is not closed; a record is one line",
    );
    if line.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        return Err(OPEN_QUOTE);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(line.len())
        .from_reader(line);
    let mut records = reader.byte_records();
    let (Some(Ok(record)), None) = (records.next(), records.next()) else {
        return Err(("MALFORMED", "is not one record"));
    };
    StringRecord::from_byte_record(record).map_err(|_| ("NOT_UTF8", "is not UTF-8"))
}

fn no_header() -> Fault {
    fault(format!(
        "begins with a header line of these columns, the first three at least: {}",
        FIELDS.join(",")
    ))
}

fn fault(text: String) -> Fault {
    Fault::new("HEADER", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Columns, String> {
        Columns::read(line.as_bytes()).map_err(|fault| fault.description)
    }

    #[test]
    fn a_header_is_read_as_carriers_write_it() {
        let columns = read("Code; TRACKING_ID ;Agence;event_time;").unwrap();
        let known = [Some("code"), Some("tracking_id"), None, Some("event_time"), None];
        assert_eq!((columns.delimiter, columns.known.as_slice()), (b';', &known[..]));
        assert_eq!(columns.ignored, ["Agence"]);
        assert_eq!(read("tracking_id,code,event_time").unwrap().delimiter, b',');
    }

    #[test]
    fn a_header_that_lacks_something_says_what_and_what_to_do() {
        for (line, said) in [
            (
                "tracking_id,code",
                "no column event_time; name it in the header line",
            ),
            ("place;CODE", "no column tracking_id and no column event_time;"),
            (
                "tracking_id,code,event_time,Code",
                "the column Code twice; leave one",
            ),
            ("RR123456785MA,EMG", "begins with a header line of these columns"),
            ("\"tracking_id", "begins with a header line"),
            ("", "begins with a header line"),
        ] {
            let text = read(line).unwrap_err();
            assert!(text.contains(said), "{line}: {text}");
        }
    }
}
