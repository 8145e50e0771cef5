//! The batch sheet: what an office takes to its registers.

use std::sync::LazyLock;

use serde_json::{Value, json};
use wathiq_documents::{Engine, Standard, Template};

use super::DrawError;
use crate::domain::act::Bilingual;
use crate::domain::kind::DocumentKind;
use crate::domain::order::line::Line;
use crate::store::offices::{Profile, Sheet};

static TEMPLATE: LazyLock<Template> =
    LazyLock::new(|| Template::new("batch-sheet.typ", include_str!("../../templates/batch-sheet.typ")));

/// A line on the sheet.
pub struct SheetLine {
    pub line: Line,
    /// The office whose register it is.
    pub registered_at: Bilingual,
    /// As the barcode says it.
    pub reference: String,
    pub kind: DocumentKind,
}

/// The number of a sheet as it is printed.
pub fn number(sheet: &Sheet) -> String {
    format!("{}-{:06}", sheet.year, sheet.number)
}

/// Puts lines in the order of the shelves: register (office of registration and kind), part, year, number.
pub fn sort(lines: &mut [SheetLine]) {
    lines.sort_by_cached_key(|line| {
        let clue = &line.line.clue;
        let office = (line.registered_at.latin.clone(), clue.office_id);
        (office, clue.shelf_order(), line.reference.clone())
    });
}

/// Draws the sheet as PDF/A-2a.
///
/// # Errors
/// [`DrawError`].
pub fn render(
    engine: &Engine,
    sheet: &Sheet,
    profile: Option<&Profile>,
    lines: &[SheetLine],
) -> Result<Vec<u8>, DrawError> {
    // A sheet has 200 lines at most, so these are 200 names at most.
    let names: Vec<String> = (1..=lines.len())
        .map(|place| format!("barcode-{place}.svg"))
        .collect();
    let codes: Vec<String> = lines
        .iter()
        .map(|line| wathiq_documents::code128_svg(&line.reference))
        .collect::<Result<_, _>>()?;
    let rows: Vec<Value> = lines
        .iter()
        .zip(&names)
        .zip(1..)
        .map(|((line, barcode), ordinal)| row(line, barcode, ordinal))
        .collect();
    let data = json!({
        "office": { "name": {
            "fr": profile.map_or("", |profile| &profile.bureau_fr),
            "ar": profile.map_or("", |profile| &profile.bureau_ar),
        } },
        "number": number(sheet),
        "date": wathiq_chassis::civil_date(sheet.created_at).to_string(),
        "lines": rows,
    });
    let assets: Vec<(&str, &[u8])> = names
        .iter()
        .zip(&codes)
        .map(|(name, svg)| (name.as_str(), svg.as_bytes()))
        .collect();
    let identifier = sheet.id.to_string();
    Ok(engine.render(
        &TEMPLATE,
        &data,
        &assets,
        Standard::A2a,
        sheet.created_at,
        &identifier,
    )?)
}

fn row(line: &SheetLine, barcode: &str, ordinal: usize) -> Value {
    let clue = &line.line.clue;
    let born = clue.birth_date.map(|date| date.to_string()).unwrap_or_default();
    // As lives are written; a register of deaths is looked through by the end of them.
    let born = match clue.death_date {
        Some(died) => format!("{born} – {died}").trim().to_owned(),
        None => born,
    };
    let parents = |father: String, mother: String| {
        let named: Vec<String> = [father, mother]
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect();
        named.join(" / ")
    };
    json!({
        "ordinal": ordinal,
        "reference": line.reference,
        "barcode": barcode,
        "kind": { "fr": line.kind.name_fr, "ar": line.kind.name_ar },
        "language": line.line.language.as_str(),
        "copies": line.line.copies,
        "registered_at": { "fr": line.registered_at.latin, "ar": line.registered_at.arabic },
        "register": clue.kind.as_str(),
        "year": clue.year,
        "part": clue.part,
        "number": clue.number,
        "person": { "fr": clue.person.latin(), "ar": clue.person.arabic() },
        "born": born,
        "parents": {
            "fr": parents(clue.father.latin(), clue.mother.latin()),
            "ar": parents(clue.father.arabic(), clue.mother.arabic()),
        },
    })
}
