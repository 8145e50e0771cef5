//! Many offices from one CSV (RFC 4180, UTF-8): all rows or none, and every bad row is reported.

use std::collections::{HashMap, HashSet};

use super::office::{OfficeCode, OfficeDetails, OfficeError, OfficeKind, arabic_name, french_name, hcp_code};
use super::vocabulary::Word;

/// Columns, in any order; the last may be absent.
const REQUIRED: [&str; 5] = ["code", "parent_code", "kind", "name_ar", "name_fr"];
const OPTIONAL: &str = "hcp_code";

/// Largest file in bytes.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// One office of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    pub details: OfficeDetails,
    pub parent: Option<OfficeCode>,
}

/// What is wrong with a file, at a line (1 is the header) and a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    pub line: u64,
    pub field: String,
    pub reason: &'static str,
    pub description: String,
}

impl RowError {
    fn new(line: u64, field: &str, reason: &'static str, description: impl Into<String>) -> Self {
        Self {
            line,
            field: field.to_owned(),
            reason,
            description: description.into(),
        }
    }
}

/// Reads the rows.
///
/// # Errors
/// All that is wrong with the file by itself; parents and codes known before are checked by [`link`].
pub fn parse(csv: &[u8]) -> Result<Vec<Row>, Vec<RowError>> {
    if csv.len() > MAX_BYTES {
        return Err(vec![RowError::new(
            1,
            "",
            "FILE_TOO_LARGE",
            "the file is larger than 2 MiB",
        )]);
    }
    // Spreadsheets put a byte order mark before UTF-8.
    let csv = csv.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(true)
        .flexible(true)
        .from_reader(csv);
    let columns = Columns::read(&mut reader)?;
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for record in reader.byte_records() {
        match record {
            Ok(record) => match columns.row(&record) {
                Ok(row) => rows.push(row),
                Err(found) => errors.extend(found),
            },
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                errors.push(RowError::new(line, "", "CSV_FORM", error.to_string()));
            }
        }
    }
    if rows.is_empty() && errors.is_empty() {
        errors.push(RowError::new(1, "", "FILE_EMPTY", "the file has no row"));
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

struct Columns {
    positions: HashMap<&'static str, usize>,
    count: usize,
}

impl Columns {
    fn read(reader: &mut csv::Reader<&[u8]>) -> Result<Self, Vec<RowError>> {
        let header = reader
            .byte_headers()
            .map_err(|error| vec![RowError::new(1, "", "CSV_FORM", error.to_string())])?;
        let mut errors = Vec::new();
        let mut positions = HashMap::new();
        for (index, cell) in header.iter().enumerate() {
            let name = String::from_utf8_lossy(cell).trim().to_owned();
            match REQUIRED.iter().chain([&OPTIONAL]).find(|known| **known == name) {
                Some(known) if positions.insert(*known, index).is_none() => {}
                Some(_) => errors.push(RowError::new(
                    1,
                    &name,
                    "COLUMN_REPEATED",
                    "the column stands twice",
                )),
                None => errors.push(RowError::new(1, &name, "COLUMN_UNKNOWN", "no such column")),
            }
        }
        for missing in REQUIRED.iter().filter(|name| !positions.contains_key(*name)) {
            errors.push(RowError::new(
                1,
                missing,
                "COLUMN_MISSING",
                "the column is missing",
            ));
        }
        if errors.is_empty() {
            Ok(Self {
                positions,
                count: header.len(),
            })
        } else {
            Err(errors)
        }
    }

    fn row(&self, record: &csv::ByteRecord) -> Result<Row, Vec<RowError>> {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != self.count {
            let found = format!("the line has {} cells, the header {}", record.len(), self.count);
            return Err(vec![RowError::new(line, "", "CELL_COUNT", found)]);
        }
        let mut errors = Vec::new();
        let mut cell = |name: &'static str| {
            let bytes = self.positions.get(name).map_or(&[][..], |index| &record[*index]);
            std::str::from_utf8(bytes).map(str::trim).unwrap_or_else(|_| {
                errors.push(RowError::new(line, name, "NOT_UTF_8", "the cell is not UTF-8"));
                ""
            })
        };
        let [code, parent, kind, ar, fr] = REQUIRED.map(&mut cell);
        let hcp = cell(OPTIONAL);
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut take = |name: &str, error: OfficeError| {
            errors.push(RowError::new(line, name, error.reason(), error.to_string()));
        };
        let code = OfficeCode::parse(code).map_err(|error| take("code", error)).ok();
        let parent = (!parent.is_empty())
            .then(|| OfficeCode::parse(parent).map_err(|error| take("parent_code", error)));
        let name_ar = arabic_name(ar).map_err(|error| take("name_ar", error)).ok();
        let name_fr = french_name(fr).map_err(|error| take("name_fr", error)).ok();
        let hcp_code = hcp_code(hcp).map_err(|error| take("hcp_code", error)).ok();
        let kind = OfficeKind::from_str(&kind.to_lowercase());
        if kind.is_none() {
            errors.push(RowError::new(
                line,
                "kind",
                "OFFICE_KIND_UNKNOWN",
                "no such kind of office",
            ));
        }
        match (errors.is_empty(), code, kind, name_ar, name_fr, hcp_code) {
            (true, Some(code), Some(kind), Some(name_ar), Some(name_fr), Some(hcp_code)) => {
                let details = OfficeDetails {
                    code,
                    kind,
                    name_ar,
                    name_fr,
                    hcp_code,
                };
                Ok(Row {
                    line,
                    details,
                    parent: parent.and_then(Result::ok),
                })
            }
            _ => Err(errors),
        }
    }
}

/// Orders the rows so that each parent comes before its children, and checks codes and parents against the file and the
/// offices known before (code and kind).
///
/// # Errors
/// Every row whose code is taken or repeated, whose parent is unknown, or that cannot stand below its parent.
pub fn link(rows: Vec<Row>, known: &HashMap<OfficeCode, OfficeKind>) -> Result<Vec<Row>, Vec<RowError>> {
    let mut errors = Vec::new();
    let mut seen = HashSet::new();
    for row in &rows {
        if known.contains_key(&row.details.code) {
            errors.push(RowError::new(
                row.line,
                "code",
                "OFFICE_CODE_TAKEN",
                "another office has this code",
            ));
        } else if !seen.insert(row.details.code.clone()) {
            errors.push(RowError::new(
                row.line,
                "code",
                "OFFICE_CODE_REPEATED",
                "the code stands twice in the file",
            ));
        }
    }
    let in_file: HashMap<&OfficeCode, OfficeKind> = rows
        .iter()
        .map(|row| (&row.details.code, row.details.kind))
        .collect();
    for row in &rows {
        let Some(parent) = &row.parent else { continue };
        match in_file.get(parent).or_else(|| known.get(parent)) {
            None => errors.push(RowError::new(
                row.line,
                "parent_code",
                "PARENT_UNKNOWN",
                "no such office",
            )),
            Some(kind) if !row.details.kind.may_stand_below(*kind) => {
                errors.push(RowError::new(
                    row.line,
                    "kind",
                    "PARENT_KIND",
                    "this kind cannot stand below its parent",
                ));
            }
            Some(_) => {}
        }
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.line);
        return Err(errors);
    }
    let mut rows = rows;
    // A parent's kind is always higher, so the order of kinds is an order of the tree.
    rows.sort_by_key(|row| row.details.kind);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "code,parent_code,kind,name_ar,name_fr,hcp_code\n";

    fn errors(rows: &str) -> Vec<(u64, String, &'static str)> {
        let parsed = parse(format!("{HEADER}{rows}").as_bytes()).and_then(|rows| link(rows, &known()));
        parsed
            .unwrap_err()
            .into_iter()
            .map(|error| (error.line, error.field, error.reason))
            .collect()
    }

    fn known() -> HashMap<OfficeCode, OfficeKind> {
        HashMap::from([(OfficeCode::parse("OLD").unwrap(), OfficeKind::Commune)])
    }

    #[test]
    fn children_may_stand_before_their_parents() {
        let text = "\u{feff}kind,code,parent_code,name_ar,name_fr\nannexe,A-1,C-1,ملحقة,\"Annexe, 1\"\ncommune,C-1,,جماعة,Commune\nannexe,A-2,OLD,ملحقة 2,Annexe 2\n";
        let rows = link(parse(text.as_bytes()).unwrap(), &known()).unwrap();
        let codes: Vec<&str> = rows.iter().map(|row| row.details.code.as_str()).collect();
        assert_eq!(codes, ["C-1", "A-1", "A-2"]);
        assert_eq!(rows[1].details.name_fr, "Annexe, 1");
        assert_eq!(rows[1].parent.as_ref().map(OfficeCode::as_str), Some("C-1"));
    }

    #[test]
    fn every_bad_row_is_reported_at_once() {
        let found = errors("a,,annexe,ملحقة,Annexe,\nB-1,,villa,Annexe,ملحقة,x\nC-1,,annexe\n");
        let expected = [
            (2, "code", "OFFICE_CODE_FORM"),
            (3, "name_ar", "NOT_ARABIC_SCRIPT"),
            (3, "name_fr", "NOT_LATIN_SCRIPT"),
            (3, "hcp_code", "HCP_CODE_FORM"),
            (3, "kind", "OFFICE_KIND_UNKNOWN"),
            (4, "", "CELL_COUNT"),
        ];
        assert_eq!(
            found,
            expected.map(|(line, field, reason)| (line, field.to_owned(), reason))
        );
    }

    #[test]
    fn codes_and_parents_are_checked_against_file_and_database() {
        let found = errors(
            "OLD,,annexe,ملحقة,Annexe,\nA-1,NONE,annexe,ملحقة,Annexe,\nA-1,,annexe,ملحقة,Annexe,\nA-3,A-1,annexe,ملحقة,Annexe,\n",
        );
        let expected = [
            (2, "code", "OFFICE_CODE_TAKEN"),
            (3, "parent_code", "PARENT_UNKNOWN"),
            (4, "code", "OFFICE_CODE_REPEATED"),
            (5, "kind", "PARENT_KIND"),
        ];
        assert_eq!(
            found,
            expected.map(|(line, field, reason)| (line, field.to_owned(), reason))
        );
    }

    #[test]
    fn the_header_must_be_right() {
        let reasons = |text: &str| {
            parse(text.as_bytes())
                .unwrap_err()
                .iter()
                .map(|e| e.reason)
                .collect::<Vec<_>>()
        };
        assert_eq!(reasons(HEADER), ["FILE_EMPTY"]);
        assert_eq!(
            reasons("code,code,kind,name_ar,name_fr,x\n"),
            ["COLUMN_REPEATED", "COLUMN_UNKNOWN", "COLUMN_MISSING"]
        );
        assert_eq!(
            parse(&vec![b'x'; MAX_BYTES + 1]).unwrap_err()[0].reason,
            "FILE_TOO_LARGE"
        );
        let latin_1 = [HEADER.as_bytes(), b"A-1,,annexe,x,Pr\xe9f,\n"].concat();
        assert_eq!(parse(&latin_1).unwrap_err()[0].reason, "NOT_UTF_8");
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(rows) = parse(&[HEADER.as_bytes(), &bytes].concat()) {
                let _ = link(rows, &known());
            }
        }
    }
}
