//! Freezes what the bytes of a seal depend on: names, texts, places, times and seeds, as they are at the officer's intent.

use chrono::{DateTime, FixedOffset, NaiveDate, Timelike, Utc};
use chrono_tz::Africa::Casablanca;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::seal_settings::SealConfig;
use crate::clients::identity::Office;
use crate::domain::destination::Destination;
use crate::domain::document::{Document, SealPolicy};
use crate::domain::fact::RegisterNumber;
use crate::domain::kind::DocumentKind;
use crate::domain::person::Signer;
use crate::domain::placement::{Mark, Placement};
use crate::domain::recipe::{CONTENTS_CAPACITY, DrawnMark, Field, Page, Recipe, ViewRectangle};
use crate::domain::request::LegalisationRequest;
use crate::domain::verification_code::VerificationCode;
use crate::pdf::template;

/// What the act says beside the request itself.
pub(super) struct Act<'a> {
    pub(super) settings: &'a SealConfig,
    /// The office, then those it belongs to, nearest first.
    pub(super) offices: &'a [Office],
    pub(super) officer: &'a Signer,
    pub(super) kind: &'a DocumentKind,
    pub(super) specimen_office: Option<&'a Office>,
    pub(super) intent_id: Uuid,
    pub(super) register: RegisterNumber,
    pub(super) code: &'a VerificationCode,
    /// Seeds of `/ID`: the document's and the separate page's.
    pub(super) id_seeds: [[u8; 16]; 2],
    pub(super) now: DateTime<Utc>,
}

/// Something an accepted request has, is missing: a mistake in this code or in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request lacks its {0}")]
pub(super) struct Incomplete(pub(super) &'static str);

/// The recipe of the document, and of the separate page where the document already carries signatures.
pub(super) fn recipes(
    act: &Act<'_>,
    request: &LegalisationRequest,
    document: &Document,
) -> Result<(Recipe, Option<Recipe>), Incomplete> {
    let placement = request.placement.as_ref().ok_or(Incomplete("placement"))?;
    let policy = &document.accepted().ok_or(Incomplete("intake"))?.policy;
    let page = Page {
        template: template::current().version(),
        data: page_data(act, request, document, placement)?,
        qr_text: act.settings.qr_text(&act.code.grouped()),
        created_at: act.now,
        identifier: format!("urn:uuid:{}", act.intent_id),
    };
    let name = format!("Wathiq_{}", act.code.as_str());
    let (mark, field) = mark_and_field(policy, placement, name.clone());
    let [document_seed, page_seed] = act.id_seeds;
    let base = Recipe {
        mark,
        page: None,
        field,
        signing_time: signing_time(act.now),
        reason: format!(
            "Légalisation de signature n° {}/{}",
            act.register.number, act.register.year
        ),
        location: act
            .offices
            .first()
            .map(|office| office.name_fr.clone())
            .unwrap_or_default(),
        signer_name: printed_name(act.officer),
        id_seed: document_seed,
        contents_capacity: CONTENTS_CAPACITY,
    };
    if *policy == SealPolicy::Unsigned {
        return Ok((
            Recipe {
                page: Some(page),
                ..base
            },
            None,
        ));
    }
    let separate = Recipe {
        mark: None,
        page: Some(page),
        field: Field::Invisible { name },
        id_seed: page_seed,
        ..base.clone()
    };
    Ok((base, Some(separate)))
}

/// Where the citizen's signature is drawn, and the field of the seal.
fn mark_and_field(policy: &SealPolicy, placement: &Placement, name: String) -> (Option<DrawnMark>, Field) {
    let drawn = drawn_mark(placement);
    match policy {
        SealPolicy::Unsigned => (drawn, Field::Invisible { name }),
        SealPolicy::VisibleField => {
            // Where the signature already stands, the visible field underlines it and covers nothing.
            let mark = drawn.unwrap_or_else(|| underline(placement));
            (None, Field::Visible { name, mark })
        }
        SealPolicy::ExistingField { name } => (
            None,
            Field::Existing {
                name: name.clone(),
                strokes: None,
            },
        ),
        SealPolicy::InvisibleField => (None, Field::Invisible { name }),
    }
}

fn drawn_mark(placement: &Placement) -> Option<DrawnMark> {
    match &placement.mark {
        Mark::Drawn(strokes) => Some(mark_at(placement, strokes.fractions())),
        Mark::Standing => None,
    }
}

fn underline(placement: &Placement) -> DrawnMark {
    mark_at(placement, vec![vec![[0.0, 1.0], [1.0, 1.0]]])
}

fn mark_at(placement: &Placement, strokes: Vec<Vec<[f32; 2]>>) -> DrawnMark {
    let [x, y, width, height] = placement.rectangle.points();
    DrawnMark {
        page_index: placement.page_number.saturating_sub(1),
        rectangle: ViewRectangle { x, y, width, height },
        strokes,
    }
}

/// `/M` has whole seconds.
pub(super) fn signing_time(now: DateTime<Utc>) -> DateTime<FixedOffset> {
    let whole = now.with_nanosecond(0).unwrap_or(now);
    whole.with_timezone(&Casablanca).fixed_offset()
}

fn page_data(
    act: &Act<'_>,
    request: &LegalisationRequest,
    document: &Document,
    placement: &Placement,
) -> Result<Value, Incomplete> {
    let confirmation = request.confirmation.as_ref().ok_or(Incomplete("confirmation"))?;
    let comparison = request.comparison.as_ref().ok_or(Incomplete("comparison"))?;
    let pages = &document.accepted().ok_or(Incomplete("intake"))?.pages;
    let (own, above) = act.offices.split_first().ok_or(Incomplete("office"))?;
    let confirmed_at = confirmation.confirmed_at.with_timezone(&Casablanca);
    Ok(json!({
        "office": {
            "name": office_name(own),
            "above": above.iter().rev().map(office_name).collect::<Vec<_>>(),
        },
        "register": { "number": act.register.number, "year": act.register.year },
        "date": civil(act.now),
        "signer": {
            "name_latin": text(confirmation.signer.name_latin()),
            "name_arabic": text(confirmation.signer.name_arabic()),
            "identity_document": {
                "kind": confirmation.signer.document_kind,
                "number": confirmation.signer.document_number,
            },
        },
        "document": {
            "kind": { "fr": act.kind.name_fr, "ar": act.kind.name_ar },
            "page_count": pages.len(),
            "sha256": data_encoding::HEXLOWER.encode(&document.sha256),
        },
        "placement": {
            "mark": match placement.mark { Mark::Drawn(_) => "DRAWN", Mark::Standing => "STANDING" },
            "page_number": placement.page_number,
        },
        "capacity": "ONESELF",
        "mandatary": request.opening.mandatary,
        "destination": destination(&request.opening.destination),
        "confirmation": {
            "method": confirmation.method.to_ascii_uppercase(),
            "date": confirmed_at.date_naive().to_string(),
            "time": confirmed_at.format("%H:%M").to_string(),
        },
        "specimen": {
            "version": comparison.specimen_version,
            "proof": {
                "method": comparison.specimen_proof.method,
                "date": civil(comparison.specimen_proof.at),
                "office": act.specimen_office.map(office_name),
            },
        },
        "officer": {
            "name_latin": text(act.officer.name_latin()),
            "name_arabic": text(act.officer.name_arabic()),
            "quality": { "fr": act.settings.officer_quality.fr, "ar": act.settings.officer_quality.ar },
        },
        "validity": { "fr": act.settings.validity.fr, "ar": act.settings.validity.ar },
        "verification": { "code": act.code.grouped(), "address": act.settings.verification_address() },
        "accompanies": null,
    }))
}

fn office_name(office: &Office) -> Value {
    json!({ "fr": office.name_fr, "ar": office.name_ar })
}

fn destination(destination: &Destination) -> Value {
    let both = |name: &str| json!({ "fr": name, "ar": name });
    let (kind, name) = match destination {
        Destination::EnrolledAdministration(administration) => (
            "ENROLLED_ADMINISTRATION",
            json!({ "fr": administration.name_fr, "ar": administration.name_ar }),
        ),
        Destination::OtherAdministration { name } => ("OTHER_ADMINISTRATION", both(name)),
        Destination::PrivateParty { name } => ("PRIVATE_PARTY", name.as_deref().map_or(Value::Null, both)),
        Destination::Abroad { name } => ("ABROAD", both(name)),
    };
    json!({ "kind": kind, "name": name })
}

fn civil(at: DateTime<Utc>) -> String {
    let day: NaiveDate = wathiq_chassis::civil_date(at);
    day.to_string()
}

/// A text, or null where there is none.
fn text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn printed_name(person: &Signer) -> String {
    text(person.name_latin()).unwrap_or_else(|| person.name_arabic())
}
