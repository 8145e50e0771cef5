//! An act as dotted paths and values: for comparing two readings field by field, and for the columns of a CSV file.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Draft;
use crate::domain::act_key::western;

/// Every column of a CSV file, at its path in an act. Those without a dot at the top, and `notes`, belong to the act; the others to
/// its content, such as `father.given_name.arabic`.
pub const ACT_COLUMNS: &[&str] = &["office", "kind", "year", "part", "number", "notes"];

/// Fields of the content that are no text.
const NUMBERS: &[&str] = &["hijri_year", "hour", "minute", "declarant.age"];
const FLAGS: &[&str] = &["twin", "signed_with_declarant"];
const TEXTS: &[&str] = &["origin", "sex", "transcribed_from", "judgment.reference"];
const BILINGUALS: &[&str] = &[
    "given_name",
    "family_name",
    "nationality",
    "birth_place",
    "time_in_letters",
    "father.given_name",
    "father.family_name",
    "father.nationality",
    "father.birth_place",
    "father.profession",
    "father.address",
    "mother.given_name",
    "mother.family_name",
    "mother.nationality",
    "mother.birth_place",
    "mother.profession",
    "mother.address",
    "declarant.name",
    "declarant.relationship",
    "declarant.profession",
    "declarant.nationality",
    "declarant.address",
    "judgment.court",
    "officer",
    "death_place",
    "profession",
    "address",
    "marital_state",
];
const DATES: &[&str] = &[
    "birth_date",
    "father.birth_date",
    "mother.birth_date",
    "judgment.date",
    "drawn_up",
    "death_date",
];
const SCRIPTS: &[&str] = &["arabic", "latin"];
const GREGORIAN: &str = "gregorian";
const DATE_FORMS: &[&str] = &[
    GREGORIAN,
    "hijri_arabic",
    "hijri_latin",
    "gregorian_arabic",
    "gregorian_latin",
];

/// How a cell becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    Text,
    /// A Gregorian date in figures.
    Date,
    Number,
    Flag,
}

/// The columns that an act's content has, with how their cells are read.
pub fn content_columns() -> Vec<(String, Cell)> {
    let below = |paths: &'static [&str], leaves: &'static [&str]| {
        paths.iter().flat_map(move |path| {
            leaves.iter().map(move |leaf| {
                let cell = if *leaf == GREGORIAN {
                    Cell::Date
                } else {
                    Cell::Text
                };
                (format!("{path}.{leaf}"), cell)
            })
        })
    };
    let plain = |paths: &'static [&str], cell| paths.iter().map(move |path| ((*path).to_owned(), cell));
    plain(TEXTS, Cell::Text)
        .chain(plain(NUMBERS, Cell::Number))
        .chain(plain(FLAGS, Cell::Flag))
        .chain(below(BILINGUALS, SCRIPTS))
        .chain(below(DATES, DATE_FORMS))
        .collect()
}

/// A cell as JSON; figures may be of either script. One that cannot be read stays text, so that reading the act says what was expected there.
pub fn cell(kind: Cell, text: &str) -> Value {
    match kind {
        Cell::Text => Value::from(text),
        Cell::Date => Value::from(western(text)),
        Cell::Number => western(text)
            .parse::<i64>()
            .map_or_else(|_| Value::from(text), Value::from),
        Cell::Flag => match western(text).as_str() {
            "true" | "1" => Value::from(true),
            "false" | "0" => Value::from(false),
            _ => Value::from(text),
        },
    }
}

/// Sets the value at a dotted path.
pub fn set(object: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            object.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let below = object.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                set(below, rest, value);
            }
        }
    }
}

/// Every value of an act at its path, as text.
pub fn flatten(draft: &Draft) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    let value = serde_json::to_value(draft).unwrap_or_default();
    collect(&mut flat, String::new(), &value);
    flat
}

fn collect(flat: &mut BTreeMap<String, String>, path: String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(flat, below, value);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(flat, format!("{path}[{index}]"), item);
            }
        }
        Value::String(text) => {
            flat.insert(path, text.clone());
        }
        Value::Bool(_) | Value::Number(_) => {
            flat.insert(path, value.to_string());
        }
    }
}
