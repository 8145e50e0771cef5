//! Records as drafts of acts.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::domain::act::flat::{self, Cell};
use crate::domain::act::{Draft, Fault};

/// Follows the quotes of a row, byte by byte (RFC 4180).
#[derive(Debug, Clone, Copy)]
pub(super) struct Quotes {
    separator: u8,
    at: At,
    cells: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// After a quote within a quoted cell: the next byte says whether it closed.
    Quote,
    /// After the carriage return that follows a quoted cell.
    Return,
    /// Something stands between a quoted cell and the end of it.
    Broken,
}

impl Quotes {
    pub(super) fn new(separator: u8) -> Self {
        Self {
            separator,
            at: At::Start,
            cells: 1,
        }
    }

    /// Reads on.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.at = match (self.at, *byte) {
                (At::Broken, _) => At::Broken,
                (At::Start | At::Quote, b'"') => At::Quoted,
                (At::Quoted, b'"') => At::Quote,
                (At::Quoted, _) => At::Quoted,
                (_, b'\n') => At::Start,
                (At::Quote, b'\r') => At::Return,
                (At::Start | At::Plain | At::Quote, byte) if byte == self.separator => {
                    self.cells += 1;
                    At::Start
                }
                (At::Start | At::Plain, _) => At::Plain,
                (At::Quote | At::Return, _) => At::Broken,
            };
        }
    }

    /// Whether a quoted cell is open.
    pub(super) fn is_open(&self) -> bool {
        self.at == At::Quoted
    }

    /// How many cells there are, where their quotes are right.
    pub(super) fn cells(&self) -> Option<usize> {
        (!matches!(self.at, At::Quoted | At::Return | At::Broken)).then_some(self.cells)
    }

    /// Whether a row of so many cells can still come of it.
    pub(super) fn may_have(&self, cells: usize) -> bool {
        !matches!(self.at, At::Return | At::Broken) && self.cells <= cells
    }
}

/// The cells of a row.
fn cells(row: &str, separator: char) -> Option<Vec<Cow<'_, str>>> {
    let mut cells = Vec::new();
    let mut rest = row;
    loop {
        let (cell, after) = cell(rest, separator)?;
        cells.push(cell);
        match after {
            Some(after) => rest = after,
            None => return Some(cells),
        }
    }
}

/// The first cell, and what stands after its separator.
fn cell(row: &str, separator: char) -> Option<(Cow<'_, str>, Option<&str>)> {
    let Some(mut rest) = row.strip_prefix('"') else {
        return Some(match row.split_once(separator) {
            Some((cell, rest)) => (Cow::Borrowed(cell), Some(rest)),
            None => (Cow::Borrowed(row), None),
        });
    };
    let mut text = String::new();
    loop {
        let (before, after) = rest.split_once('"')?;
        text.push_str(before);
        if let Some(again) = after.strip_prefix('"') {
            text.push('"');
            rest = again;
            continue;
        }
        let after = match after.strip_prefix(separator) {
            Some(next) => Some(next),
            None if after.is_empty() => None,
            None => return None,
        };
        return Some((Cow::Owned(text), after));
    }
}

/// What the columns of a CSV file are.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    separator: char,
    columns: Vec<Column>,
}

#[derive(Debug, Clone)]
enum Column {
    /// Of the act itself.
    Act(&'static str),
    /// Of its content, at a path.
    Content(String, Cell),
}

impl Columns {
    /// Reads the header.
    ///
    /// # Errors
    /// Every column that is unknown, repeated or missing.
    pub(super) fn read(header: &[u8]) -> Result<Self, Vec<Fault>> {
        // Spreadsheets put a byte order mark before UTF-8.
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
        let text = std::str::from_utf8(header).map_err(|_| vec![not_utf_8()])?;
        let separator = if text.contains(';') && !text.contains(',') {
            ';'
        } else {
            ','
        };
        let cells = cells(text, separator).ok_or_else(|| vec![malformed()])?;
        let known: HashMap<String, Cell> = flat::content_columns().into_iter().collect();
        let (mut columns, mut faults, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for name in cells.iter().map(|cell| cell.trim()) {
            let act = flat::ACT_COLUMNS.iter().find(|column| **column == name);
            match (act, known.get(name)) {
                _ if seen.contains(&name) => {
                    faults.push(Fault::new(name, "COLUMN_REPEATED", "the column stands twice"));
                }
                (Some(column), _) => columns.push(Column::Act(column)),
                (None, Some(cell)) => columns.push(Column::Content(name.to_owned(), *cell)),
                (None, None) => faults.push(Fault::new(name, "COLUMN_UNKNOWN", "there is no such column")),
            }
            seen.push(name);
        }
        for needed in ["office", "kind", "year", "number", "origin", "sex"] {
            if !seen.contains(&needed) {
                faults.push(Fault::new(needed, "COLUMN_MISSING", "the column is missing"));
            }
        }
        if faults.is_empty() {
            Ok(Self { separator, columns })
        } else {
            Err(faults)
        }
    }

    pub(super) fn separator(&self) -> u8 {
        // One of two ASCII characters.
        self.separator as u8
    }

    /// How many cells a row has.
    pub(super) fn count(&self) -> usize {
        self.columns.len()
    }

    /// Reads a row.
    ///
    /// # Errors
    /// Every [`Fault`].
    pub(super) fn draft(&self, row: &[u8]) -> Result<Draft, Vec<Fault>> {
        let row = std::str::from_utf8(row).map_err(|_| vec![not_utf_8()])?;
        let cells = cells(row, self.separator).ok_or_else(|| vec![malformed()])?;
        if cells.len() != self.columns.len() {
            let found = format!(
                "the row has {} cells, the header {}",
                cells.len(),
                self.columns.len()
            );
            return Err(vec![Fault::new("", "CELL_COUNT", found)]);
        }
        let (mut act, mut content) = (Map::new(), Map::new());
        for (column, cell) in self.columns.iter().zip(&cells) {
            let text = cell.trim();
            match column {
                _ if text.is_empty() => {}
                Column::Act("year") => flat::set(&mut act, "year", flat::cell(Cell::Number, text)),
                Column::Act("notes") => {
                    let notes: Value = serde_json::from_str(text)
                        .map_err(|error| vec![Fault::new("notes", "MALFORMED", error.to_string())])?;
                    flat::set(&mut act, "notes", notes);
                }
                Column::Act(name) => flat::set(&mut act, name, Value::from(text)),
                Column::Content(path, cell) => flat::set(&mut content, path, flat::cell(*cell, text)),
            }
        }
        act.insert("content".to_owned(), Value::Object(content));
        let value = Value::Object(act);
        match Draft::deserialize(&value) {
            Ok(draft) => Ok(draft),
            Err(_) => Err(vec![fault_of::<Draft, _>(&value)]),
        }
    }
}

/// Reads a line of JSON.
///
/// # Errors
/// The [`Fault`] that keeps it from being an act.
pub(super) fn of_json(line: &[u8]) -> Result<Draft, Vec<Fault>> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    serde_json::from_slice(line).map_err(|error| {
        if std::str::from_utf8(line).is_err() {
            return vec![not_utf_8()];
        }
        if error.classify() != serde_json::error::Category::Data {
            return vec![Fault::new("", "JSON_MALFORMED", error.to_string())];
        }
        // The way that knows where it is takes longer, and is taken only where something is wrong.
        vec![fault_of::<Draft, _>(&mut serde_json::Deserializer::from_slice(
            line,
        ))]
    })
}

/// What keeps a value from being a `T`, with the path of its place.
fn fault_of<'de, T: DeserializeOwned, D: serde::Deserializer<'de>>(deserializer: D) -> Fault
where
    D::Error: std::fmt::Display,
{
    match serde_path_to_error::deserialize::<_, T>(deserializer) {
        Ok(_) => Fault::new("", "MALFORMED", "the act cannot be read"),
        Err(error) => {
            let path = error.path().to_string();
            let text = error.into_inner().to_string();
            let reason = if text.starts_with("missing field") {
                "REQUIRED"
            } else if text.starts_with("unknown field") {
                "FIELD_UNKNOWN"
            } else {
                "MALFORMED"
            };
            // A field that is missing is named by the text alone.
            Fault::new(if path == "." { String::new() } else { path }, reason, text)
        }
    }
}

fn not_utf_8() -> Fault {
    Fault::new("", "NOT_UTF_8", "the row is not UTF-8")
}

fn malformed() -> Fault {
    Fault::new("", "CSV_MALFORMED", "a quoted cell does not end as RFC 4180 says")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "office,kind,year,part,number,origin,sex,given_name.latin,given_name.arabic,birth_date.gregorian,declarant.name.latin,declarant.age,twin,notes";

    fn columns() -> Columns {
        Columns::read(HEADER.as_bytes()).unwrap()
    }

    fn quotes(bytes: &[u8]) -> Quotes {
        let mut quotes = Quotes::new(b',');
        quotes.read(bytes);
        quotes
    }

    fn fault(row: &str) -> (String, &'static str) {
        let mut faults = columns().draft(row.as_bytes()).unwrap_err();
        let fault = faults.remove(0);
        (fault.field, fault.reason)
    }

    #[test]
    fn a_row_of_csv_and_a_line_of_json_are_the_same_act() {
        let csv = r#"C-1,birth,1984,2,123 bis,declaration,female,Amina,أمينة,1984-03-02,"Ahmed ""Si"" Alaoui",34,1,"[{""date"":""2001-02-03"",""kind"":""marriage"",""text"":{""latin"":""mariée""}}]""#;
        let json = r#"{"office":"C-1","kind":"birth","year":1984,"part":"2","number":"123 bis","content":{"origin":"declaration","sex":"female",
            "given_name":{"latin":"Amina","arabic":"أمينة"},"birth_date":{"gregorian":"1984-03-02"},"twin":true,
            "declarant":{"name":{"latin":"Ahmed \"Si\" Alaoui"},"age":34}},"notes":[{"date":"2001-02-03","kind":"marriage","text":{"latin":"mariée"}}]}"#;
        assert_eq!(
            columns().draft(csv.as_bytes()).unwrap(),
            of_json(json.as_bytes()).unwrap()
        );
        let semicolons = HEADER.replace(',', ";");
        let columns = Columns::read(format!("\u{feff}{semicolons}").as_bytes()).unwrap();
        assert!(
            columns
                .draft("C-1;birth;1984;;1;declaration;male;Ali;;1984;Omar, Si;;;".as_bytes())
                .is_ok()
        );
    }

    #[test]
    fn figures_of_either_script_are_figures() {
        let header = "office,kind,year,part,number,origin,sex,given_name.latin,hijri_year,birth_date.gregorian,hour,declarant.age,twin";
        let columns = Columns::read(header.as_bytes()).unwrap();
        let western = "C-1,birth,1984,2,123,declaration,female,Amina,1404,1984-03-02,14,34,1";
        let eastern = "C-1,birth,١٩٨٤,2,123,declaration,female,Amina,١٤٠٤,١٩٨٤-٠٣-٠٢,۱۴,٣٤,١";
        assert_eq!(
            columns.draft(eastern.as_bytes()).unwrap(),
            columns.draft(western.as_bytes()).unwrap()
        );
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let row = |year: &str, sex: &str, age: &str| {
            format!("C-1,birth,{year},2,1,declaration,{sex},Amina,,1984-03-02,Ahmed,{age},,")
        };
        assert_eq!(fault(&row("x", "male", "")), ("year".to_owned(), "MALFORMED"));
        assert_eq!(
            fault(&row("1984", "other", "")),
            ("content.sex".to_owned(), "MALFORMED")
        );
        assert_eq!(
            fault(&row("1984", "male", "-3")),
            ("content.declarant.age".to_owned(), "MALFORMED")
        );
        assert_eq!(fault("C-1,birth").1, "CELL_COUNT");
        assert_eq!(fault("\"C-1\"x,birth").1, "CSV_MALFORMED");
        let json = |text: &str| {
            let mut faults = of_json(text.as_bytes()).unwrap_err();
            let fault = faults.remove(0);
            (fault.field, fault.reason)
        };
        assert_eq!(json("{"), (String::new(), "JSON_MALFORMED"));
        assert_eq!(json("{\"office\":1}"), ("office".to_owned(), "MALFORMED"));
        assert_eq!(
            json("{\"office\":\"C\",\"colour\":1}"),
            ("colour".to_owned(), "FIELD_UNKNOWN")
        );
        assert_eq!(json("{\"office\":\"C\"}").1, "REQUIRED");
        assert_eq!(
            of_json(b"{\"office\":\"\xe9\"}").unwrap_err()[0].reason,
            "NOT_UTF_8"
        );
    }

    #[test]
    fn the_header_is_checked_whole() {
        let faults = Columns::read(b"office,office,kind,year,colour,origin,sex").unwrap_err();
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.field.as_str(), fault.reason))
            .collect();
        assert_eq!(
            found,
            [
                ("office", "COLUMN_REPEATED"),
                ("colour", "COLUMN_UNKNOWN"),
                ("number", "COLUMN_MISSING")
            ]
        );
    }

    #[test]
    fn the_columns_are_the_paths_of_an_act() {
        let mut content = Map::new();
        for (path, cell) in flat::content_columns() {
            let text = match (path.as_str(), cell) {
                ("origin", _) => "declaration",
                ("sex", _) => "male",
                (_, Cell::Number) => "3",
                (_, Cell::Flag) => "1",
                (_, Cell::Date) => "1984",
                _ => "text",
            };
            flat::set(&mut content, &path, flat::cell(cell, text));
        }
        let value = serde_json::json!({ "office": "C", "kind": "death", "year": 1984, "number": "1", "content": content });
        let draft: Draft = serde_json::from_value(value).unwrap();
        let paths: Vec<String> = flat::flatten(&draft)
            .into_keys()
            .filter_map(|path| path.strip_prefix("content.").map(str::to_owned))
            .collect();
        let mut columns: Vec<String> = flat::content_columns()
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        columns.sort();
        assert_eq!(paths, columns);
    }

    proptest! {
        #[test]
        fn cells_are_read_back(cells_in in prop::collection::vec("[a-c,\";\n]{0,5}", 1..6)) {
            let quoted: Vec<String> = cells_in.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let row = quoted.join(",");
            let whole = quotes(row.as_bytes());
            prop_assert_eq!(whole.cells(), Some(cells_in.len()));
            prop_assert!(whole.may_have(cells_in.len()) && !whole.may_have(cells_in.len() - 1));
            prop_assert!(quotes(&row.as_bytes()[..row.len() - 1]).is_open());
            let read = cells(&row, ',').unwrap();
            prop_assert_eq!(read, cells_in);
        }

        /// Whoever counts cells and whoever reads them see the same ones.
        #[test]
        fn cells_are_counted_as_they_are_read(row in "[a,\"]{0,12}") {
            let counted = quotes(row.as_bytes()).cells();
            prop_assert_eq!(counted, cells(&row, ',').map(|cells| cells.len()));
        }

        #[test]
        fn no_row_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = columns().draft(&bytes);
            let _ = of_json(&bytes);
            let _ = quotes(&bytes);
            let _ = Columns::read(&bytes);
        }
    }
}
