//! The report of refused rows: CSV with line, field, reason and description. It is cut back to what was committed before an import goes
//! on, so that each refused row stands in it once.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use crate::domain::act::Fault;

const HEADER: &str = "line,field,reason,description\r\n";

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) line: u64,
    pub(super) faults: Vec<Fault>,
}

/// Where refused rows are written.
pub(super) struct Report {
    file: File,
    bytes: u64,
}

impl Report {
    /// Opens the report; what stands in it after `committed` bytes is of rows that are read again.
    pub(super) fn open(path: &Path, committed: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .read(true)
            .open(path)?;
        let there = file.metadata()?.len();
        if there < committed {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the report of the earlier run is not there",
            ));
        }
        file.set_len(committed)?;
        file.seek(SeekFrom::Start(committed))?;
        let mut report = Self {
            file,
            bytes: committed,
        };
        if committed == 0 {
            report.write(HEADER)?;
        }
        Ok(report)
    }

    /// Takes back what was written for a chunk that was not committed.
    pub(super) fn cut_to(&mut self, committed: u64) -> io::Result<()> {
        // Nothing is committed of a new report, and its header stays.
        let end = committed.max(HEADER.len() as u64);
        if self.bytes > end {
            self.file.set_len(end)?;
            self.file.seek(SeekFrom::Start(end))?;
            self.bytes = end;
        }
        Ok(())
    }

    /// Appends refusals and makes them durable. Returns the length of the report.
    pub(super) fn append(&mut self, refusals: &[Refusal]) -> io::Result<u64> {
        if !refusals.is_empty() {
            let lines: String = refusals.iter().map(lines).collect();
            self.write(&lines)?;
            self.file.sync_data()?;
        }
        Ok(self.bytes)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.bytes += text.len() as u64;
        Ok(())
    }
}

fn lines(refusal: &Refusal) -> String {
    let line = |fault: &Fault| {
        format!(
            "{},{},{},{}\r\n",
            refusal.line,
            quoted(&fault.field),
            fault.reason,
            quoted(&fault.description)
        )
    };
    refusal.faults.iter().map(line).collect()
}

fn quoted(text: &str) -> String {
    // A spreadsheet takes these for the beginning of a formula.
    let text = if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: u64, description: &str) -> Refusal {
        Refusal {
            line,
            faults: vec![Fault::new("content.sex", "MALFORMED", description)],
        }
    }

    #[test]
    fn what_was_not_committed_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("refused.csv");
        let mut report = Report::open(&path, 0).unwrap();
        let committed = report.append(&[refusal(2, "is \"x\", not a sex")]).unwrap();
        report.append(&[refusal(9, "=lost")]).unwrap();
        drop(report);
        let mut report = Report::open(&path, committed).unwrap();
        report.append(&[refusal(9, "=again")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "line,field,reason,description\r\n2,content.sex,MALFORMED,\"is \"\"x\"\", not a sex\"\r\n9,content.sex,MALFORMED,'=again\r\n";
        assert_eq!(text, expected);
        assert!(Report::open(&folder.path().join("other.csv"), committed).is_err());
    }
}
