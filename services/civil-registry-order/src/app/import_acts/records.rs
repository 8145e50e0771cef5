//! A file as records: lines of JSON, or rows of CSV, each with its place. The bytes given out are hashed, so that a file is known again.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use sha2::{Digest, Sha256};

use crate::app::import_acts::row::Quotes;
use crate::domain::import::Format;

/// Largest record in bytes.
pub(super) const LONGEST: usize = 256 * 1024;
/// Most lines of one CSV record: so many are looked at, and looked at again, for a quote that nothing closes.
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
    /// Of a row of CSV, once the header has said how many.
    cells: usize,
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
            cells: usize::MAX,
            ahead: VecDeque::new(),
            hash: Sha256::new(),
            offset: 0,
            lines: 0,
        }
    }

    /// What parts the cells of a row, and how many there are.
    pub(super) fn rows_are(&mut self, separator: u8, cells: usize) {
        (self.separator, self.cells) = (separator, cells);
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
            self.given(&first)?;
            if self.format == Format::Csv && !first.too_long {
                self.close(&mut bytes)?;
            }
            if first.too_long {
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

    /// Appends the lines that end a quoted cell, where that makes a whole row of them. Otherwise nothing is taken: a quote too many costs the
    /// row where it stands, and each line after it is tried as a row of its own.
    fn close(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut quotes = Quotes::new(self.separator);
        quotes.read(bytes);
        let (alone, mut taken) = (bytes.len(), Vec::new());
        while quotes.is_open()
            && quotes.may_have(self.cells)
            && taken.len() < MOST_LINES
            && bytes.len() < LONGEST
        {
            let Some(line) = self.line()? else { break };
            quotes.read(&line.raw);
            bytes.extend_from_slice(&line.raw);
            let too_long = line.too_long;
            taken.push(line);
            if too_long {
                break;
            }
        }
        let whole = quotes
            .cells()
            .is_some_and(|cells| cells == self.cells || self.cells == usize::MAX);
        if whole && taken.last().is_none_or(|line| !line.too_long) {
            return taken.iter().try_for_each(|line| self.given(line));
        }
        bytes.truncate(alone);
        for line in taken.into_iter().rev() {
            self.ahead.push_front(line);
        }
        Ok(())
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

    fn found(records: &mut Records<&[u8]>) -> Vec<(u64, Option<String>)> {
        let mut found = Vec::new();
        while let Some(record) = records.next().unwrap() {
            found.push((
                record.line,
                record.bytes.map(|bytes| String::from_utf8(bytes).unwrap()),
            ));
        }
        found
    }

    fn read(text: &str, format: Format) -> Vec<(u64, Option<String>)> {
        let mut records = Records::new(text.as_bytes(), format);
        let found = found(&mut records);
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
        assert_eq!(found, [row(1, "a,\"b"), row(2, "c,d"), row(3, "e,f")]);
    }

    fn rows_of_two(text: &str) -> Vec<(u64, Option<String>)> {
        let mut records = Records::new(text.as_bytes(), Format::Csv);
        records.rows_are(b',', 2);
        found(&mut records)
    }

    #[test]
    fn a_quote_too_many_costs_the_row_where_it_stands() {
        // The next quote in the file is another row's.
        let text = "a,\"b\nc,d\ne,\"f, g\"\nh,i\n";
        let lines = [
            row(1, "a,\"b"),
            row(2, "c,d"),
            row(3, "e,\"f, g\""),
            row(4, "h,i"),
        ];
        assert_eq!(rows_of_two(text), lines);
        // So it is where every cell is quoted, and the quote that is missing is a cell's last or first.
        for broken in [
            "\"a\",\"b",
            "\"a,\"b\"",
            "a\",\"b\"",
            "\"a\",\"\"b\"",
            "\"a\",\"b\"\"",
        ] {
            let text = format!("{broken}\n\"c\",\"d\"\n\"e\",\"f\"\n");
            let lines = [row(1, broken), row(2, "\"c\",\"d\""), row(3, "\"e\",\"f\"")];
            assert_eq!(rows_of_two(&text), lines, "{broken}");
        }
        // What closes later on makes a row only where it has the cells of one.
        let text = "\"a,b\nc,d\ne,f\"\ng,h\n";
        let lines = [row(1, "\"a,b"), row(2, "c,d"), row(3, "e,f\""), row(4, "g,h")];
        assert_eq!(rows_of_two(text), lines);
        assert_eq!(
            rows_of_two("a,\"b\r\nc\"\r\nd,e"),
            [row(1, "a,\"b\r\nc\""), row(3, "d,e")]
        );
    }

    #[test]
    fn a_file_of_quotes_is_looked_ahead_in_so_far_and_no_further() {
        for line in ["a,\"b\n", "x\",\"\n", "\"\n", "a\",\"b\n", "\"a\",\"b\n"] {
            let lines = 2_000;
            let text = line.repeat(lines);
            let mut records = Records::new(text.as_bytes(), Format::Csv);
            records.rows_are(b',', 300);
            let mut given = 0;
            let mut most = 0;
            while let Some(record) = records.next().unwrap() {
                given += record.bytes.map_or(0, |bytes| bytes.len() + 1);
                most = most.max(records.ahead.len());
            }
            assert_eq!(given, text.len(), "{line:?}");
            assert!(most <= MOST_LINES, "{line:?}");
        }
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
