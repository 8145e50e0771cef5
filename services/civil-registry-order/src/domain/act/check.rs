//! What must hold for an act, whoever wrote it down. Every fault is found at once, each with the dotted path of its field.

mod dates;
mod walk;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

use super::{ActContent, Draft, Entry, ExtractField, NoteDraft, Origin};
use crate::domain::act_key::{self, ActKey, ActNumber, KeyError, RegisterKind, RegisterPart};
pub use crate::domain::fault::Fault;
use walk::Walk;

/// Hijri years that an act of these registers can name.
const HIJRI_YEARS: std::ops::RangeInclusive<i16> = 1200..=1500;
/// Largest number of notes of an act.
const MOST_NOTES: usize = 200;

/// Checks an act of this office and brings its texts to one form: without spaces at the ends, one space between words.
///
/// # Errors
/// Every [`Fault`].
pub fn entry(office_id: Uuid, draft: Draft, today: NaiveDate) -> Result<Entry, Vec<Fault>> {
    let mut walk = Walk::default();
    let key = key(&mut walk, office_id, &draft, today);
    let Draft {
        kind,
        year,
        mut content,
        mut notes,
        ..
    } = draft;
    walk.within("content", |walk| {
        content_texts(walk, &mut content);
        rules(walk, kind, year, &content, today);
    });
    if notes.len() > MOST_NOTES {
        walk.fault("notes", "TOO_MANY", "an act has at most 200 notes");
    }
    for (index, note) in notes.iter_mut().enumerate() {
        walk.item("notes", index, |walk| check_note(walk, note, year, today));
    }
    match (key, walk.finish()) {
        (Some(key), Ok(())) => Ok(Entry { key, content, notes }),
        (_, Err(faults)) => Err(faults),
        (None, Ok(())) => Err(Vec::new()),
    }
}

/// Checks a note that is added to an act of this year's register.
///
/// # Errors
/// Every [`Fault`]; paths begin at the note.
pub fn note(mut note: NoteDraft, register_year: i16, today: NaiveDate) -> Result<NoteDraft, Vec<Fault>> {
    let mut walk = Walk::default();
    check_note(&mut walk, &mut note, i32::from(register_year), today);
    walk.finish().map(|()| note)
}

fn key(walk: &mut Walk, office_id: Uuid, draft: &Draft, today: NaiveDate) -> Option<ActKey> {
    let mut keep = |field: &'static str, error: KeyError| {
        walk.fault(field, error.reason(), error.to_string());
    };
    let year = act_key::year(draft.year, today.year())
        .map_err(|error| keep("year", error))
        .ok();
    let part = draft
        .part
        .parse::<RegisterPart>()
        .map_err(|error| keep("part", error))
        .ok();
    let number = draft
        .number
        .parse::<ActNumber>()
        .map_err(|error| keep("number", error))
        .ok();
    Some(ActKey {
        office_id,
        kind: draft.kind,
        year: year?,
        part: part?,
        number: number?,
    })
}

fn content_texts(walk: &mut Walk, content: &mut ActContent) {
    walk.name("given_name", &mut content.given_name);
    walk.name("family_name", &mut content.family_name);
    walk.bilingual("nationality", &mut content.nationality);
    walk.date("birth_date", &mut content.birth_date);
    walk.bilingual("birth_place", &mut content.birth_place);
    walk.bilingual("time_in_letters", &mut content.time_in_letters);
    walk.within("father", |walk| walk.parent(&mut content.father));
    walk.within("mother", |walk| walk.parent(&mut content.mother));
    if let Some(declarant) = &mut content.declarant {
        walk.within("declarant", |walk| walk.declarant(declarant));
    }
    if let Some(judgment) = &mut content.judgment {
        walk.within("judgment", |walk| {
            walk.text("reference", &mut judgment.reference);
            walk.date("date", &mut judgment.date);
            walk.bilingual("court", &mut judgment.court);
        });
    }
    walk.date("drawn_up", &mut content.drawn_up);
    walk.bilingual("officer", &mut content.officer);
    walk.text("transcribed_from", &mut content.transcribed_from);
    walk.date("death_date", &mut content.death_date);
    walk.bilingual("death_place", &mut content.death_place);
    walk.bilingual("profession", &mut content.profession);
    walk.bilingual("address", &mut content.address);
    walk.bilingual("marital_state", &mut content.marital_state);
}

fn rules(walk: &mut Walk, kind: RegisterKind, year: i32, content: &ActContent, today: NaiveDate) {
    if content.given_name.is_empty() {
        walk.fault("given_name", "REQUIRED", "must be there in one script at least");
    }
    if content
        .hijri_year
        .is_some_and(|year| !HIJRI_YEARS.contains(&year))
    {
        walk.fault(
            "hijri_year",
            "OUT_OF_RANGE",
            "must be a Hijri year from 1200 to 1500",
        );
    }
    if content.hour.is_some_and(|hour| hour > 23) {
        walk.fault("hour", "OUT_OF_RANGE", "must be from 0 to 23");
    }
    if content.minute.is_some_and(|minute| minute > 59) {
        walk.fault("minute", "OUT_OF_RANGE", "must be from 0 to 59");
    }
    origin(walk, content);
    event(walk, kind, content);
    dates::check(walk, year, content, today);
}

/// What stands for the declaration must be there.
fn origin(walk: &mut Walk, content: &ActContent) {
    match content.origin {
        Origin::Declaration => {
            let name = content.declarant.as_ref().map(|declarant| &declarant.name);
            if name.is_none_or(super::Bilingual::is_empty) {
                walk.fault("declarant.name", "REQUIRED", "a declared act names its declarant");
            }
        }
        Origin::Transcription => {
            if content.transcribed_from.is_empty() {
                let text = "a transcription names the act it transcribes";
                walk.fault("transcribed_from", "REQUIRED", text);
            }
        }
        Origin::TransferredJudgment | Origin::DeclaratoryJudgment => {
            let reference = content.judgment.as_ref().map(|judgment| &judgment.reference);
            if reference.is_none_or(String::is_empty) {
                walk.fault(
                    "judgment.reference",
                    "REQUIRED",
                    "an act by judgment names the judgment",
                );
            }
        }
    }
}

/// A birth act tells of a birth, a death act of a death.
fn event(walk: &mut Walk, kind: RegisterKind, content: &ActContent) {
    match kind {
        RegisterKind::Birth => {
            if content.birth_date.gregorian.is_none() {
                let text = "a birth act has the year of birth at least";
                walk.fault("birth_date.gregorian", "REQUIRED", text);
            }
            if !content.death_date.is_empty() {
                let text = "a birth act tells of a death in a marginal note only";
                walk.fault("death_date", "NOT_OF_THIS_REGISTER", text);
            }
            for (field, text) in [
                ("death_place", &content.death_place),
                ("marital_state", &content.marital_state),
            ] {
                if !text.is_empty() {
                    walk.fault(field, "NOT_OF_THIS_REGISTER", "only death acts have it");
                }
            }
        }
        RegisterKind::Death => {
            if content.death_date.gregorian.is_none() {
                let text = "a death act has the year of death at least";
                walk.fault("death_date.gregorian", "REQUIRED", text);
            }
        }
    }
}

fn check_note(walk: &mut Walk, note: &mut NoteDraft, register_year: i32, today: NaiveDate) {
    walk.note_text("text", &mut note.text);
    if note.text.is_empty() {
        walk.fault("text", "REQUIRED", "must be there in one script at least");
    }
    if note.date > today {
        walk.fault("date", "IN_FUTURE", "must not be after today");
    } else if note.date.year() < register_year {
        let text = "a note stands in the margin of an act: it is not older than the register";
        walk.fault("date", "DATE_ORDER", text);
    }
    if !note.changes_extract && !note.changes.is_empty() {
        let text = "only a note that changes the extract has changes";
        walk.fault("changes", "EXTRACT_UNCHANGED", text);
    }
    if note.leaves_extract_open() {
        let text = "a note that changes the extract says what it changes, unless it tells of the death";
        walk.fault("changes", "CHANGES_MISSING", text);
    }
    let mut seen = Vec::new();
    for (index, change) in note.changes.iter_mut().enumerate() {
        let again = seen.contains(&change.field);
        seen.push(change.field);
        walk.item("changes", index, |walk| {
            if matches!(change.field, ExtractField::GivenName | ExtractField::FamilyName) {
                walk.name("text", &mut change.text);
            } else {
                walk.bilingual("text", &mut change.text);
            }
            walk.date("date", &mut change.date);
            if again {
                walk.fault("field", "REPEATED", "a note changes a field once");
            }
            let dated = change.field == ExtractField::BirthDate;
            if dated && change.date.gregorian.is_none() {
                walk.fault("date.gregorian", "REQUIRED", "must have the year at least");
            }
            if !dated && change.text.is_empty() {
                walk.fault("text", "REQUIRED", "must be there in one script at least");
            }
            if change.field == ExtractField::Sex && !matches!(change.text.latin.as_str(), "male" | "female") {
                walk.fault("text.latin", "SEX_UNKNOWN", "must be \"male\" or \"female\"");
            }
        });
    }
}

#[cfg(test)]
mod tests;
