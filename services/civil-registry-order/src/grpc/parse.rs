//! Messages of orders on their way in.

use chrono::NaiveDate;
use uuid::Uuid;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::app::AppError;
use crate::app::office::get_settlement::Span;
use crate::app::order_lines::AskedLine;
use crate::app::place_order::PlaceOrder;
use crate::app::upload_evidence::Upload;
use crate::domain::act_key::RegisterKind;
use crate::domain::address::Address;
use crate::domain::clue::TypedClue;
use crate::domain::kind::{Language, Relation};
use crate::domain::person::FullName;
use crate::domain::reference::{LineReference, Reference, ReferenceError};
use crate::domain::state::LineState;
use crate::domain::text::is_unprintable;
use crate::grpc::fields::Fields;

/// Longest name of a file, in characters.
const FILE_NAME: usize = 255;

pub(super) fn register_kind(kind: pb::RegisterKind) -> Option<RegisterKind> {
    match kind {
        pb::RegisterKind::Birth => Some(RegisterKind::Birth),
        pb::RegisterKind::Death => Some(RegisterKind::Death),
        pb::RegisterKind::Unspecified => None,
    }
}

pub(super) fn language(language: pb::DocumentLanguage) -> Option<Language> {
    match language {
        pb::DocumentLanguage::Arabic => Some(Language::Arabic),
        pb::DocumentLanguage::French => Some(Language::French),
        pb::DocumentLanguage::Bilingual => Some(Language::Bilingual),
        pb::DocumentLanguage::Unspecified => None,
    }
}

pub(super) fn relation(relation: pb::Relation) -> Option<Relation> {
    match relation {
        pb::Relation::Oneself => Some(Relation::Oneself),
        pb::Relation::Parent => Some(Relation::Parent),
        pb::Relation::Child => Some(Relation::Child),
        pb::Relation::Spouse => Some(Relation::Spouse),
        pb::Relation::Guardian => Some(Relation::Guardian),
        pb::Relation::Mandataire => Some(Relation::Mandataire),
        pb::Relation::Unspecified => None,
    }
}

pub(super) fn line_state(state: pb::LineState) -> Option<LineState> {
    LineState::parse(state.as_str_name().trim_start_matches("LINE_STATE_"))
}

fn full_name(name: Option<pb::FullName>) -> FullName {
    let name = name.unwrap_or_default();
    FullName {
        given_latin: name.given_latin,
        family_latin: name.family_latin,
        given_arabic: name.given_arabic,
        family_arabic: name.family_arabic,
    }
}

pub(super) fn address(address: Option<pb::DeliveryAddress>) -> Address {
    let address = address.unwrap_or_default();
    Address {
        country_code: address.country_code,
        postal_code: address.postal_code,
        locality_latin: address.locality_latin,
        street_latin: address.street_latin,
        quarter_latin: address.quarter_latin,
        extra_latin: address.extra_latin,
        locality_arabic: address.locality_arabic,
        street_arabic: address.street_arabic,
        quarter_arabic: address.quarter_arabic,
        extra_arabic: address.extra_arabic,
    }
}

pub(super) fn clue(clue: Option<pb::ActClue>) -> TypedClue {
    let clue = clue.unwrap_or_default();
    TypedClue {
        kind: register_kind(clue.kind()),
        office_id: clue.office_id,
        year: clue.year,
        part: clue.part,
        number: clue.number,
        hijri_year: clue.hijri_year,
        person: full_name(clue.person),
        birth_date: clue.birth_date.map(|date| (date.year, date.month, date.day)),
        death_date: clue.death_date.map(|date| (date.year, date.month, date.day)),
        father: full_name(clue.father),
        mother: full_name(clue.mother),
    }
}

pub(super) fn evidence_ids(ids: &[String]) -> Vec<Option<Uuid>> {
    ids.iter().map(|id| Uuid::try_parse(id).ok()).collect()
}

pub(super) fn span(message: &pb::GetSettlementRequest) -> Result<Span<'_>, AppError> {
    let mut fields = Fields::default();
    let office_id = fields.optional_id("office_id", &message.office_id);
    let from = date(&mut fields, "from", message.from);
    let to = date(&mut fields, "to", message.to);
    let (Some(office_id), Some(from), Some(to)) = (office_id, from, to) else {
        return Err(fields.error());
    };
    let administration = message.issuing_administration.trim();
    Ok(Span {
        office_id,
        administration: (!administration.is_empty()).then_some(administration),
        from,
        to,
    })
}

pub(super) fn line(line: pb::LineRequest) -> AskedLine {
    AskedLine {
        language: language(line.language()),
        relation: relation(line.relation()),
        evidence_ids: evidence_ids(&line.evidence_ids),
        producing_office_id: (!line.producing_office_id.is_empty())
            .then(|| Uuid::try_parse(&line.producing_office_id).unwrap_or_default()),
        document_kind: line.document_kind,
        copies: line.copies,
        act: clue(line.act),
    }
}

pub(super) fn place_order(message: pb::PlaceOrderRequest) -> Result<PlaceOrder, AppError> {
    let mut fields = Fields::default();
    let birth_date = optional_date(&mut fields, "applicant_birth_date", message.applicant_birth_date);
    fields.check()?;
    Ok(PlaceOrder {
        lines: message.lines.into_iter().map(line).collect(),
        addressee: full_name(message.addressee),
        address: address(message.address),
        applicant: full_name(message.applicant),
        birth_date: birth_date.flatten(),
        identity_document: message.applicant_identity_document,
        mandataries: message
            .mandataries
            .into_iter()
            .map(|name| full_name(Some(name)))
            .collect(),
        expected_total_centimes: message.expected_total_centimes,
    })
}

/// A civil date, or none.
pub(super) fn optional_date(
    fields: &mut Fields,
    field: &str,
    date: Option<Date>,
) -> Option<Option<NaiveDate>> {
    let Some(date) = date else { return Some(None) };
    let read = u32::try_from(date.month)
        .ok()
        .zip(u32::try_from(date.day).ok())
        .and_then(|(month, day)| NaiveDate::from_ymd_opt(date.year, month, day));
    match read {
        Some(date) => Some(Some(date)),
        None => fields.fault(field, "MALFORMED", "must be a date of the calendar"),
    }
}

/// A civil date.
pub(super) fn date(fields: &mut Fields, field: &str, date: Option<Date>) -> Option<NaiveDate> {
    match optional_date(fields, field, date)? {
        Some(date) => Some(date),
        None => fields.fault(field, "REQUIRED", "must be a date"),
    }
}

pub(super) fn upload(header: &pb::EvidenceHeader) -> Result<Upload, AppError> {
    let request_id = wathiq_chassis::request_id(&header.request_id)
        .map_err(|violation| AppError::Invalid(vec![violation]))?;
    Ok(Upload {
        request_id,
        file_name: file_name(&header.file_name)?,
        kind: header.kind.clone(),
    })
}

/// The last part of a path, without characters that do not print.
fn file_name(text: &str) -> Result<String, AppError> {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let cleaned: String = last
        .chars()
        .filter(|character| !is_unprintable(*character))
        .collect();
    let cleaned = cleaned.trim();
    if cleaned.is_empty() || cleaned.chars().count() > FILE_NAME {
        return Err(AppError::invalid(
            "header.file_name",
            "LENGTH",
            format!("must have 1 to {FILE_NAME} characters"),
        ));
    }
    Ok(cleaned.to_owned())
}

fn reference_fault(field: &'static str, error: ReferenceError) -> AppError {
    AppError::invalid(field, error.reason(), error.to_string())
}

pub(super) fn reference(field: &'static str, text: &str) -> Result<Reference, AppError> {
    Reference::parse(text).map_err(|error| reference_fault(field, error))
}

pub(super) fn line_reference(field: &'static str, text: &str) -> Result<LineReference, AppError> {
    LineReference::parse(text).map_err(|error| reference_fault(field, error))
}

/// Distinct ids, within bounds.
pub(super) fn ids(
    fields: &mut Fields,
    field: &str,
    texts: &[String],
    count: std::ops::RangeInclusive<usize>,
) -> Option<Vec<Uuid>> {
    if !count.contains(&texts.len()) {
        let description = format!("must be {} to {}", count.start(), count.end());
        return fields.fault(field, "OUT_OF_RANGE", description);
    }
    let mut ids = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        let id = fields.id(&format!("{field}[{place}]"), text)?;
        if ids.contains(&id) {
            return fields.fault(field, "DUPLICATE", "must name each once");
        }
        ids.push(id);
    }
    Some(ids)
}

/// The version that a caller saw, or none.
pub(super) fn etag(text: &str) -> Result<Option<i64>, AppError> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(version) => Ok(Some(version)),
        Err(_) => Err(AppError::invalid(
            "etag",
            "MALFORMED",
            "must be an etag that was given out",
        )),
    }
}
