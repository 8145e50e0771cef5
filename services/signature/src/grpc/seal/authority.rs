//! Whose a credential is to be, and the decision behind an electronic seal.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use uuid::Uuid;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::domain::credential::Holder;
use crate::domain::seal_authority::SealAuthority;
use crate::grpc::fields::Fields;
use crate::grpc::issued_documents;

const LONGEST_REFERENCE: usize = 100;
const LONGEST_NAME: usize = 200;
const MOST_KINDS: usize = 50;
const MOST_OFFICES: usize = 200;

/// The holder of a credential to be registered.
pub(super) fn holder(fields: &mut Fields, message: &pb::RegisterCredentialRequest) -> Option<Holder> {
    match (message.kind(), &message.authority) {
        (pb::CredentialKind::Unspecified | pb::CredentialKind::Officer, None) => fields
            .id("officer_person_id", &message.officer_person_id)
            .map(Holder::Officer),
        (pb::CredentialKind::Unspecified | pb::CredentialKind::Officer, Some(_)) => fields.fault(
            "authority",
            "UNEXPECTED",
            "only an electronic seal has a decision behind it",
        ),
        (pb::CredentialKind::ElectronicSeal, _) if !message.officer_person_id.is_empty() => fields.fault(
            "officer_person_id",
            "UNEXPECTED",
            "an electronic seal has no officer",
        ),
        (pb::CredentialKind::ElectronicSeal, Some(decision)) => {
            authority(fields, decision).map(Holder::Institution)
        }
        (pb::CredentialKind::ElectronicSeal, None) => fields.fault(
            "authority",
            "REQUIRED",
            "an electronic seal needs the decision behind it",
        ),
    }
}

fn authority(fields: &mut Fields, message: &pb::SealAuthority) -> Option<SealAuthority> {
    let decision_reference = fields.text(
        "authority.decision_reference",
        &message.decision_reference,
        1..=LONGEST_REFERENCE,
    );
    let authority_name = fields.text(
        "authority.authority_name",
        &message.authority_name,
        1..=LONGEST_NAME,
    );
    let decision_date = date(fields, "authority.decision_date", message.decision_date.as_ref());
    let valid_from = date(fields, "authority.valid_from", message.valid_from.as_ref());
    let valid_to = date(fields, "authority.valid_to", message.valid_to.as_ref());
    let document_kinds = kinds(fields, &message.document_kinds);
    let office_ids = offices(fields, &message.office_ids);
    let authority = SealAuthority {
        decision_reference: decision_reference?,
        decision_date: decision_date?,
        authority_name: authority_name?,
        document_kinds: document_kinds?,
        office_ids: office_ids?,
        valid_from: valid_from?,
        valid_to: valid_to?,
    };
    if authority.valid_to < authority.valid_from {
        return fields.fault(
            "authority.valid_to",
            "OUT_OF_RANGE",
            "must not be before valid_from",
        );
    }
    if authority.valid_from < authority.decision_date {
        let text = "must not be before the decision";
        return fields.fault("authority.valid_from", "OUT_OF_RANGE", text);
    }
    Some(authority)
}

fn date(fields: &mut Fields, field: &str, date: Option<&Date>) -> Option<NaiveDate> {
    let Some(date) = date else {
        return fields.fault(field, "REQUIRED", "must be a date");
    };
    let part = |number: i32| u32::try_from(number).ok();
    let day = part(date.month)
        .zip(part(date.day))
        .and_then(|(month, day)| NaiveDate::from_ymd_opt(date.year, month, day))
        .filter(|_| (2000..=2200).contains(&date.year));
    match day {
        Some(day) => Some(day),
        None => fields.fault(field, "MALFORMED", "must be a date from 2000 to 2200"),
    }
}

fn kinds(fields: &mut Fields, kinds: &[String]) -> Option<Vec<String>> {
    const FIELD: &str = "authority.document_kinds";
    if kinds.is_empty() || kinds.len() > MOST_KINDS {
        return fields.fault(FIELD, "COUNT", "must have 1 to 50 items");
    }
    let mut found = BTreeSet::new();
    for (index, kind) in kinds.iter().enumerate() {
        found.insert(issued_documents::kind(
            fields,
            &format!("{FIELD}[{index}]"),
            kind,
        )?);
    }
    Some(found.into_iter().collect())
}

fn offices(fields: &mut Fields, ids: &[String]) -> Option<Vec<Uuid>> {
    const FIELD: &str = "authority.office_ids";
    if ids.len() > MOST_OFFICES {
        return fields.fault(FIELD, "COUNT", "must have at most 200 items");
    }
    let mut found = BTreeSet::new();
    for (index, id) in ids.iter().enumerate() {
        found.insert(fields.id(&format!("{FIELD}[{index}]"), id)?);
    }
    Some(found.into_iter().collect())
}
