//! The report of refused rows: CSV with line, field, reason and description. It is cut back to what was committed before an import goes
//! on, so that each refused row stands in it once.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ImportError;
use crate::domain::act::Fault;
use crate::domain::import::Position;

const HEADER: &str = "line,field,reason,description\r\n";

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) line: u64,
    pub(super) faults: Vec<Fault>,
}

/// Where the report stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportAt {
    /// In this file.
    File(PathBuf),
    /// Beside the file that is loaded, named after it and the import.
    Beside(PathBuf),
}

impl ReportAt {
    /// Of this import.
    pub fn path(&self, import_id: Uuid) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Beside(file) => {
                let mut name = file.clone().into_os_string();
                name.push(format!(".{import_id}.refused.csv"));
                name.into()
            }
        }
    }
}

/// How much stands in the report.
#[derive(Clone)]
struct Written {
    bytes: u64,
    hash: Sha256,
}

/// Where refused rows are written.
pub(super) struct Report {
    file: File,
    /// What belongs to chunks that are committed.
    kept: Written,
    written: Written,
}

impl Report {
    /// Begins the report of a new import: with its header, which is made durable.
    ///
    /// # Errors
    /// [`ImportError::ReportOfOther`] where something else stands in the file.
    pub(super) fn begin(path: &Path) -> Result<Self, ImportError> {
        let mut file = file(path)?;
        let mut there = Vec::new();
        (&mut file)
            .take(HEADER.len() as u64 + 1)
            .read_to_end(&mut there)
            .map_err(ImportError::Report)?;
        // A file in which nothing stands but a header is nobody's report yet.
        if !there.is_empty() && there != HEADER.as_bytes() {
            return Err(ImportError::ReportOfOther);
        }
        let nothing = Written {
            bytes: 0,
            hash: Sha256::new(),
        };
        let mut report = Self {
            file,
            written: nothing.clone(),
            kept: nothing,
        };
        report
            .cut()
            .and_then(|()| report.put(HEADER))
            .and_then(|()| report.file.sync_data())
            .map_err(ImportError::Report)?;
        report.keep();
        Ok(report)
    }

    /// Opens the report where an import goes on.
    ///
    /// # Errors
    /// [`ImportError::ReportOfOther`] where something else stands in the file.
    pub(super) fn open(path: &Path, position: &Position) -> Result<Self, ImportError> {
        let mut file = file(path)?;
        let (bytes, hash) = hashed((&mut file).take(position.report_bytes)).map_err(ImportError::Report)?;
        let digest: [u8; 32] = hash.clone().finalize().into();
        if bytes != position.report_bytes || digest != position.report_sha256 {
            return Err(ImportError::ReportOfOther);
        }
        let kept = Written { bytes, hash };
        Ok(Self {
            file,
            written: kept.clone(),
            kept,
        })
    }

    /// The length of the report, and its SHA-256.
    pub(super) fn standing(&self) -> (u64, [u8; 32]) {
        (self.written.bytes, self.written.hash.clone().finalize().into())
    }

    /// Writes the refusals of a chunk after those of the chunks that were kept, and makes them durable. Returns the length of the report, and
    /// its SHA-256.
    pub(super) fn write(&mut self, refusals: &[Refusal]) -> io::Result<(u64, [u8; 32])> {
        self.cut()?;
        if !refusals.is_empty() {
            let lines: String = refusals.iter().map(lines).collect();
            self.put(&lines)?;
            self.file.sync_data()?;
        }
        Ok(self.standing())
    }

    /// The chunk that was written last is committed.
    pub(super) fn keep(&mut self) {
        self.kept = self.written.clone();
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.kept.bytes)?;
        self.file.seek(SeekFrom::Start(self.kept.bytes))?;
        self.written = self.kept.clone();
        Ok(())
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.written.bytes += text.len() as u64;
        self.written.hash.update(text);
        Ok(())
    }
}

fn file(path: &Path) -> Result<File, ImportError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(path)
        .map_err(ImportError::Report)
}

/// How much there is, and its digest so far.
fn hashed(mut input: impl Read) -> io::Result<(u64, Sha256)> {
    let (mut bytes, mut hash) = (0, Sha256::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = input.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hash));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
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

    fn at(written: (u64, [u8; 32])) -> Position {
        Position {
            report_bytes: written.0,
            report_sha256: written.1,
            ..Position::default()
        }
    }

    #[test]
    fn what_was_not_committed_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("refused.csv");
        let mut report = Report::begin(&path).unwrap();
        report.write(&[refusal(2, "thrown away")]).unwrap();
        let committed = report.write(&[refusal(2, "is \"x\", not a sex")]).unwrap();
        report.keep();
        report.write(&[refusal(9, "=lost")]).unwrap();
        drop(report);
        let mut report = Report::open(&path, &at(committed)).unwrap();
        report.write(&[refusal(9, "=again")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = "line,field,reason,description\r\n2,content.sex,MALFORMED,\"is \"\"x\"\", not a sex\"\r\n9,content.sex,MALFORMED,'=again\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_report_that_was_cut_off_before_anything_was_committed_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("refused.csv");
        let mut report = Report::begin(&path).unwrap();
        let begun = at(report.standing());
        report.write(&[refusal(2, "lost")]).unwrap();
        drop(report);
        let mut report = Report::open(&path, &begun).unwrap();
        report.write(&[refusal(2, "again")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{HEADER}2,content.sex,MALFORMED,again\r\n"));
    }

    #[test]
    fn a_report_of_another_import_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("refused.csv");
        let mut report = Report::begin(&path).unwrap();
        let committed = report.write(&[refusal(2, "kept")]).unwrap();
        drop(report);
        let before = std::fs::read_to_string(&path).unwrap();
        let other = at((committed.0, Sha256::digest(b"other").into()));
        for opened in [Report::begin(&path), Report::open(&path, &other)] {
            assert!(matches!(opened, Err(ImportError::ReportOfOther)));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
        let lost = Report::open(&folder.path().join("lost.csv"), &at(committed));
        assert!(matches!(lost, Err(ImportError::ReportOfOther)));
    }
}
