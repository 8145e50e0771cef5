//! A file as records: lines of JSON, or rows of CSV, each with its place. The bytes given out are hashed, so that a file is known again.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use sha2::{Digest, Sha256};

use crate::app::import_acts::row::is_open;
use crate::domain::import::Format;

/// Largest record in bytes.
pub(super) const LONGEST: usize = 256 * 1024;
/// Most lines of one CSV record; a quote that nothing closes would swallow the rest of the file.
const MOST_LINES: usize = 64;

/// A record as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Of its beginning; 1 is the first.
    pub(super) line: u64,
    /// Without the end of the line; nothing where it is too long to be one.
    pub(super) bytes: Option<Vec<u8>>,
}

/// Reads records.
pub(super) struct Records<R> {
    input: R,
    format: Format,
    separator: u8,
    /// Lines that were read and not given out.
    ahead: VecDeque<Line>,
    hash: Sha256,
    offset: u64,
    lines: u64,
}

struct Line {
    /// With its end.
    raw: Vec<u8>,
    /// Only the beginning of the line is here. Such a line is the last that was read: its rest is passed over when it is given out.
    too_long: bool,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: R, format: Format) -> Self {
        Self {
            input,
            format,
            separator: b',',
            ahead: VecDeque::new(),
            hash: Sha256::new(),
            offset: 0,
            lines: 0,
        }
    }

    /// What parts the cells of a row.
    pub(super) fn separate_by(&mut self, separator: u8) {
        self.separator = separator;
    }

    /// Bytes and lines given out so far, and their SHA-256.
    pub(super) fn position(&self) -> (u64, u64, [u8; 32]) {
        (self.offset, self.lines, self.hash.clone().finalize().into())
    }

    /// Passes over everything before an offset, which lies between two records.
    pub(super) fn skip_to(&mut self, offset: u64, lines: u64) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        // Nothing is read ahead: records are asked for one at a time before this.
        while self.offset < offset {
            let wanted = usize::try_from(offset - self.offset)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let read = self.input.read(&mut buffer[..wanted])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.hash.update(&buffer[..read]);
            self.offset += read as u64;
        }
        self.lines = lines;
        Ok(())
    }

    /// The next record that is not blank.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            let line = self.lines + 1;
            let Some(first) = self.line()? else {
                return Ok(None);
            };
            let mut bytes = first.raw.clone();
            let mut too_long = first.too_long;
            self.given(&first)?;
            if self.format == Format::Csv && !too_long && is_open(&bytes, self.separator) {
                too_long = !self.close(&mut bytes)?;
            }
            if too_long {
                return Ok(Some(Record { line, bytes: None }));
            }
            trim_end(&mut bytes);
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(Record {
                    line,
                    bytes: Some(bytes),
                }));
            }
        }
    }

    /// Appends the lines that end the quoted cell; `false`, and nothing taken, where none does.
    fn close(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        let mut taken = Vec::new();
        while taken.len() < MOST_LINES && bytes.len() < LONGEST {
            let Some(line) = self.line()? else { break };
            bytes.extend_from_slice(&line.raw);
            let too_long = line.too_long;
            taken.push(line);
            if too_long {
                break;
            }
            if !is_open(bytes, self.separator) {
                for line in &taken {
                    self.given(line)?;
                }
                return Ok(true);
            }
        }
        // Back in order: each is tried as a row of its own.
        for line in taken.into_iter().rev() {
            self.ahead.push_front(line);
        }
        Ok(false)
    }

    fn given(&mut self, line: &Line) -> io::Result<()> {
        self.hash.update(&line.raw);
        self.offset += line.raw.len() as u64;
        self.lines += 1;
        if line.too_long { self.pass_over() } else { Ok(()) }
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.ahead.pop_front() {
            return Ok(Some(line));
        }
        let mut raw = Vec::new();
        (&mut self.input)
            .take(LONGEST as u64)
            .read_until(b'\n', &mut raw)?;
        if raw.is_empty() {
            return Ok(None);
        }
        let too_long = raw.len() == LONGEST && !raw.ends_with(b"\n");
        Ok(Some(Line { raw, too_long }))
    }

    /// Hashes the rest of a line.
    fn pass_over(&mut self) -> io::Result<()> {
        loop {
            let part = self.input.fill_buf()?;
            if part.is_empty() {
                return Ok(());
            }
            let end = part.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
            let length = end.unwrap_or(part.len());
            self.hash.update(&part[..length]);
            self.offset += length as u64;
            self.input.consume(length);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

fn trim_end(bytes: &mut Vec<u8>) {
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, format: Format) -> Vec<(u64, Option<String>)> {
        let mut records = Records::new(text.as_bytes(), format);
        let mut found = Vec::new();
        while let Some(record) = records.next().unwrap() {
            found.push((
                record.line,
                record.bytes.map(|bytes| String::from_utf8(bytes).unwrap()),
            ));
        }
        let (offset, _, sha256) = records.position();
        assert_eq!(offset, text.len() as u64);
        assert_eq!(sha256, <[u8; 32]>::from(Sha256::digest(text)));
        found
    }

    fn row(line: u64, text: &str) -> (u64, Option<String>) {
        (line, Some(text.to_owned()))
    }

    #[test]
    fn lines_have_their_numbers_and_blank_ones_are_passed_over() {
        let found = read("{}\n\n  \r\n{\"a\":1}\r\n{}", Format::JsonLines);
        assert_eq!(found, [row(1, "{}"), row(4, "{\"a\":1}"), row(5, "{}")]);
    }

    #[test]
    fn a_quoted_cell_may_have_lines() {
        let found = read("a,\"b\nc\",d\ne,f\"g\n", Format::Csv);
        assert_eq!(found, [row(1, "a,\"b\nc\",d"), row(3, "e,f\"g")]);
    }

    #[test]
    fn a_quote_that_nothing_closes_costs_one_line() {
        let found = read("a,\"b\nc,d\ne,f\n", Format::Csv);
        assert_eq!(found, [(1, None), row(2, "c,d"), row(3, "e,f")]);
    }

    #[test]
    fn a_line_too_long_is_passed_over_whole() {
        let text = format!("{{}}\n{}\n{{}}\n", "x".repeat(3 * LONGEST));
        assert_eq!(
            read(&text, Format::JsonLines),
            [row(1, "{}"), (2, None), row(3, "{}")]
        );
        assert_eq!(read(&text, Format::Csv), [row(1, "{}"), (2, None), row(3, "{}")]);
    }

    proptest! {
        #[test]
        fn reading_on_from_any_record_gives_the_rest(lines in prop::collection::vec("[a-z,\"\r]{0,6}", 0..12), stop in 0usize..12, csv in any::<bool>()) {
            let text = lines.join("\n");
            let format = if csv { Format::Csv } else { Format::JsonLines };
            let whole = read(&text, format);
            let mut first = Records::new(text.as_bytes(), format);
            for _ in 0..stop {
                first.next().unwrap();
            }
            let (offset, lines, sha256) = first.position();
            let mut second = Records::new(text.as_bytes(), format);
            second.skip_to(offset, lines).unwrap();
            prop_assert_eq!(second.position(), (offset, lines, sha256));
            let mut rest = Vec::new();
            while let Some(record) = second.next().unwrap() {
                rest.push((record.line, record.bytes.map(|bytes| String::from_utf8(bytes).unwrap())));
            }
            prop_assert_eq!(&whole[whole.len().min(stop)..], &rest[..]);
        }
    }
}
