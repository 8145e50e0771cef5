//! Messages as what use cases take.

use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::app::AppError;
use crate::app::key_act::KeyAct;
use crate::app::search_acts::SearchActs;
use crate::domain::act::{
    ActContent, Bilingual, Declarant, Draft, ExtractChange, ExtractField, Judgment, NoteDraft, NoteKind,
    Origin, Parent, Sex,
};
use crate::domain::act_key::{ActNumber, RegisterKind, RegisterPart};
use crate::domain::search::{Person, Query};
use crate::domain::written_date::{PartialDate, WrittenDate};
use crate::grpc::fields::Fields;

/// The register named; nothing where it is not said.
pub(in crate::grpc) fn kind(kind: pb::RegisterKind) -> Option<RegisterKind> {
    match kind {
        pb::RegisterKind::Unspecified => None,
        pb::RegisterKind::Birth => Some(RegisterKind::Birth),
        pb::RegisterKind::Death => Some(RegisterKind::Death),
    }
}

/// The register named, which must be.
pub(in crate::grpc) fn required_kind(
    fields: &mut Fields,
    field: &str,
    named: pb::RegisterKind,
) -> Option<RegisterKind> {
    match kind(named) {
        Some(kind) => Some(kind),
        None => fields.fault(field, "REQUIRED", "must be BIRTH or DEATH"),
    }
}

/// What to search for. With a number it is a key, otherwise a person.
pub(super) fn search(message: &pb::SearchActsRequest) -> Result<SearchActs, AppError> {
    let mut fields = Fields::default();
    let office_id = fields.optional_id("office_id", &message.office_id);
    let query = if message.number.is_empty() {
        person(&mut fields, message)
    } else {
        key(&mut fields, message)
    };
    match (office_id, query) {
        (Some(office_id), Some(query)) => Ok(SearchActs {
            office_id,
            kind: kind(message.kind()),
            query,
        }),
        _ => Err(fields.error()),
    }
}

fn key(fields: &mut Fields, message: &pb::SearchActsRequest) -> Option<Query> {
    let number = match message.number.parse::<ActNumber>() {
        Ok(number) => Some(number),
        Err(error) => fields.fault("number", error.reason(), error.to_string()),
    };
    let part = match message.part.parse::<RegisterPart>() {
        Ok(part) => Some((!part.as_str().is_empty()).then_some(part)),
        Err(error) => fields.fault("part", error.reason(), error.to_string()),
    };
    let year = match i16::try_from(message.year) {
        Ok(year) if year > 0 => Some(year),
        _ => fields.fault(
            "year",
            "REQUIRED",
            "a number is looked for in the year of its register",
        ),
    };
    Some(Query::Key {
        year: year?,
        part: part?,
        number: number?,
    })
}

fn person(fields: &mut Fields, message: &pb::SearchActsRequest) -> Option<Query> {
    const NAME: std::ops::RangeInclusive<usize> = 0..=100;
    let given = fields.text("given_name", &message.given_name, NAME);
    let family = fields.text("family_name", &message.family_name, NAME);
    let born = partial_date(fields, "birth_date", message.birth_date.as_ref());
    let (given, family, born) = (given?, family?, born?);
    match Person::new(&given, &family, born) {
        Ok(person) => Some(Query::Person(person)),
        Err(error) => {
            let (field, reason) = error.fault();
            fields.fault(field, reason, error.to_string())
        }
    }
}

/// An act as somebody keyed it.
pub(super) fn keyed(message: pb::KeyActRequest) -> Result<KeyAct, AppError> {
    let mut fields = Fields::default();
    let key = message.key.unwrap_or_default();
    let office_id = fields.id("key.office_id", &key.office_id);
    let kind = required_kind(&mut fields, "key.kind", key.kind());
    let scan_id = fields.optional_id("scan_id", &message.scan_id);
    let content = match message.content {
        Some(message) => content(&mut fields, message),
        None => fields.fault("content", "REQUIRED", "must be there"),
    };
    let notes = (0..)
        .zip(message.notes)
        .map(|(index, message)| note(&mut fields, &format!("notes[{index}]."), message))
        .collect::<Vec<_>>();
    let notes: Option<Vec<NoteDraft>> = notes.into_iter().collect();
    match (office_id, kind, scan_id, content, notes) {
        (Some(office_id), Some(kind), Some(scan_id), Some(content), Some(notes)) => Ok(KeyAct {
            office_id,
            draft: Draft {
                office: key.office_id,
                kind,
                year: key.year,
                part: key.part,
                number: key.number,
                content: Box::new(content),
                notes,
            },
            scan_id,
        }),
        _ => Err(fields.error()),
    }
}

/// A note to be added.
pub(super) fn added_note(
    act_id: &str,
    message: Option<pb::MarginalNote>,
) -> Result<(Uuid, NoteDraft), AppError> {
    let mut fields = Fields::default();
    let act_id = fields.id("act_id", act_id);
    let note = match message {
        Some(message) => note(&mut fields, "note.", message),
        None => fields.fault("note", "REQUIRED", "must be there"),
    };
    match (act_id, note) {
        (Some(act_id), Some(note)) => Ok((act_id, note)),
        _ => Err(fields.error()),
    }
}

/// A note, whose fields stand below `path`.
fn note(fields: &mut Fields, path: &str, message: pb::MarginalNote) -> Option<NoteDraft> {
    let date = message.date.as_ref().and_then(full_date);
    let date = match date {
        Some(date) => Some(date),
        None => fields.fault(&format!("{path}date"), "REQUIRED", "must be a date"),
    };
    let kind = match NoteKind::parse(&message.kind) {
        Some(kind) => Some(kind),
        None => {
            let known: Vec<&str> = NoteKind::ALL.iter().map(|kind| kind.as_str()).collect();
            let description = format!("must be one of {}", known.join(", "));
            fields.fault(&format!("{path}kind"), "NOTE_KIND_UNKNOWN", description)
        }
    };
    let changes = (0..)
        .zip(message.changes)
        .map(|(index, message)| change(fields, &format!("{path}changes[{index}]."), message))
        .collect::<Vec<_>>();
    let changes: Option<Vec<ExtractChange>> = changes.into_iter().collect();
    Some(NoteDraft {
        date: date?,
        kind: kind?,
        text: bilingual(message.text),
        changes_extract: message.changes_extract,
        changes: changes?,
    })
}

fn change(fields: &mut Fields, path: &str, message: pb::ExtractChange) -> Option<ExtractChange> {
    let field = match ExtractField::parse(&message.field) {
        Some(field) => Some(field),
        None => {
            let known: Vec<&str> = ExtractField::ALL.iter().map(|field| field.as_str()).collect();
            let description = format!("must be one of {}", known.join(", "));
            fields.fault(&format!("{path}field"), "EXTRACT_FIELD_UNKNOWN", description)
        }
    };
    let date = written(fields, &format!("{path}date"), message.date);
    Some(ExtractChange {
        field: field?,
        text: bilingual(message.text),
        date: date?,
    })
}

fn content(fields: &mut Fields, message: pb::ActContent) -> Option<ActContent> {
    let origin = match message.origin() {
        pb::ActOrigin::Unspecified => fields.fault("content.origin", "REQUIRED", "must be said"),
        pb::ActOrigin::Declaration => Some(Origin::Declaration),
        pb::ActOrigin::Transcription => Some(Origin::Transcription),
        pb::ActOrigin::TransferredJudgment => Some(Origin::TransferredJudgment),
        pb::ActOrigin::DeclaratoryJudgment => Some(Origin::DeclaratoryJudgment),
    };
    let sex = match message.sex() {
        pb::Sex::Unspecified => fields.fault("content.sex", "REQUIRED", "must be said"),
        pb::Sex::Male => Some(Sex::Male),
        pb::Sex::Female => Some(Sex::Female),
    };
    let hijri_year = optional_number(
        fields,
        "content.hijri_year",
        Some(message.hijri_year).filter(|year| *year != 0),
    );
    let hour = optional_number(
        fields,
        "content.hour",
        Some(message.hour).filter(|hour| *hour != -1),
    );
    let minute = optional_number(
        fields,
        "content.minute",
        Some(message.minute).filter(|minute| *minute != -1),
    );
    let birth_date = written(fields, "content.birth_date", message.birth_date);
    let drawn_up = written(fields, "content.drawn_up", message.drawn_up);
    let death_date = written(fields, "content.death_date", message.death_date);
    let father = parent(fields, "content.father", message.father);
    let mother = parent(fields, "content.mother", message.mother);
    let declarant = declarant(fields, message.declarant);
    let judgment = judgment(fields, message.judgment);
    Some(ActContent {
        origin: origin?,
        hijri_year: hijri_year?,
        given_name: bilingual(message.given_name),
        family_name: bilingual(message.family_name),
        sex: sex?,
        nationality: bilingual(message.nationality),
        birth_date: birth_date?,
        birth_place: bilingual(message.birth_place),
        hour: hour?,
        minute: minute?,
        time_in_letters: bilingual(message.time_in_letters),
        twin: message.twin,
        father: father?,
        mother: mother?,
        declarant: declarant?,
        judgment: judgment?,
        drawn_up: drawn_up?,
        officer: bilingual(message.officer),
        signed_with_declarant: message.signed_with_declarant,
        transcribed_from: message.transcribed_from,
        death_date: death_date?,
        death_place: bilingual(message.death_place),
        profession: bilingual(message.profession),
        address: bilingual(message.address),
        marital_state: bilingual(message.marital_state),
    })
}

fn parent(fields: &mut Fields, path: &str, message: Option<pb::ActParent>) -> Option<Parent> {
    let message = message.unwrap_or_default();
    let birth_date = written(fields, &format!("{path}.birth_date"), message.birth_date);
    Some(Parent {
        given_name: bilingual(message.given_name),
        family_name: bilingual(message.family_name),
        nationality: bilingual(message.nationality),
        birth_date: birth_date?,
        birth_place: bilingual(message.birth_place),
        profession: bilingual(message.profession),
        address: bilingual(message.address),
    })
}

fn declarant(fields: &mut Fields, message: Option<pb::ActDeclarant>) -> Option<Option<Declarant>> {
    let Some(message) = message.filter(|message| *message != pb::ActDeclarant::default()) else {
        return Some(None);
    };
    let age = optional_number(
        fields,
        "content.declarant.age",
        Some(message.age).filter(|age| *age != 0),
    );
    Some(Some(Declarant {
        name: bilingual(message.name),
        relationship: bilingual(message.relationship),
        age: age?,
        profession: bilingual(message.profession),
        nationality: bilingual(message.nationality),
        address: bilingual(message.address),
    }))
}

fn judgment(fields: &mut Fields, message: Option<pb::ActJudgment>) -> Option<Option<Judgment>> {
    let Some(message) = message.filter(|message| *message != pb::ActJudgment::default()) else {
        return Some(None);
    };
    let date = written(fields, "content.judgment.date", message.date);
    Some(Some(Judgment {
        reference: message.reference,
        date: date?,
        court: bilingual(message.court),
    }))
}

fn bilingual(message: Option<pb::BilingualText>) -> Bilingual {
    let message = message.unwrap_or_default();
    Bilingual::new(message.arabic, message.latin)
}

fn written(fields: &mut Fields, path: &str, message: Option<pb::WrittenDate>) -> Option<WrittenDate> {
    let message = message.unwrap_or_default();
    let gregorian = partial_date(fields, &format!("{path}.gregorian"), message.gregorian.as_ref());
    Some(WrittenDate {
        gregorian: gregorian?,
        hijri_arabic: message.hijri_arabic,
        hijri_latin: message.hijri_latin,
        gregorian_arabic: message.gregorian_arabic,
        gregorian_latin: message.gregorian_latin,
    })
}

/// A date whose day, or day and month, may be 0; nothing where it is not there at all.
fn partial_date(fields: &mut Fields, field: &str, date: Option<&Date>) -> Option<Option<PartialDate>> {
    let Some(date) = date.filter(|date| **date != Date::default()) else {
        return Some(None);
    };
    match PartialDate::new(date.year, date.month, date.day) {
        Ok(date) => Some(Some(date)),
        Err(_) => fields.fault(
            field,
            "MALFORMED",
            "must be a date, whose day or day and month may be 0",
        ),
    }
}

/// A date that has all its parts.
pub(in crate::grpc) fn full_date(date: &Date) -> Option<NaiveDate> {
    PartialDate::new(date.year, date.month, date.day).ok()?.full()
}

fn optional_number<T: TryFrom<i32>>(
    fields: &mut Fields,
    field: &str,
    number: Option<i32>,
) -> Option<Option<T>> {
    match number {
        None => Some(None),
        Some(number) => fields.number(field, number).map(Some),
    }
}
