//! Words, dates and values that several services have in common.

use wathiq_proto::wathiq::identity::v1 as proto;

use crate::app::get_person::Subject;
use crate::domain::delivery::{Delivery, DeliveryState};
use crate::domain::identity_document::{DocumentKind, IdentityDocument};
use crate::domain::name::PersonName;
use crate::domain::person::{Person, Proof};
use crate::domain::specimen::SpecimenVersion;
use crate::domain::vocabulary::{Assurance, Channel, DeliveryPreference, Language, Role};
use crate::events::publish;
pub(super) use crate::events::publish::timestamp_of as timestamp;

pub(super) fn etag(version: i64) -> String {
    format!("v{version}")
}

pub(super) fn read_language(language: proto::Language) -> Option<Language> {
    match language {
        proto::Language::Unspecified => None,
        proto::Language::Ar => Some(Language::Arabic),
        proto::Language::Fr => Some(Language::French),
        proto::Language::Zgh => Some(Language::Tamazight),
        proto::Language::En => Some(Language::English),
    }
}

pub(super) fn language(language: Language) -> proto::Language {
    match language {
        Language::Arabic => proto::Language::Ar,
        Language::French => proto::Language::Fr,
        Language::Tamazight => proto::Language::Zgh,
        Language::English => proto::Language::En,
    }
}

pub(super) fn read_preference(preference: proto::DeliveryPreference) -> Option<DeliveryPreference> {
    match preference {
        proto::DeliveryPreference::Unspecified => None,
        proto::DeliveryPreference::Attachment => Some(DeliveryPreference::Attachment),
        proto::DeliveryPreference::Link => Some(DeliveryPreference::Link),
    }
}

fn preference(preference: DeliveryPreference) -> proto::DeliveryPreference {
    match preference {
        DeliveryPreference::Attachment => proto::DeliveryPreference::Attachment,
        DeliveryPreference::Link => proto::DeliveryPreference::Link,
    }
}

pub(super) fn read_channel(channel: proto::ContactChannel) -> Option<Channel> {
    match channel {
        proto::ContactChannel::Unspecified => None,
        proto::ContactChannel::Email => Some(Channel::Email),
        proto::ContactChannel::Phone => Some(Channel::Phone),
    }
}

pub(super) fn read_role(role: proto::OfficeRole) -> Option<Role> {
    match role {
        proto::OfficeRole::Unspecified => None,
        proto::OfficeRole::Agent => Some(Role::Agent),
        proto::OfficeRole::Officer => Some(Role::Officer),
        proto::OfficeRole::Administrator => Some(Role::Administrator),
    }
}

pub(super) fn read_document_kind(kind: proto::IdentityDocumentKind) -> Option<DocumentKind> {
    match kind {
        proto::IdentityDocumentKind::Unspecified => None,
        proto::IdentityDocumentKind::Cin => Some(DocumentKind::Cin),
        proto::IdentityDocumentKind::Passport => Some(DocumentKind::Passport),
        proto::IdentityDocumentKind::ResidenceCard => Some(DocumentKind::ResidenceCard),
    }
}

pub(super) fn assurance(assurance: Assurance) -> proto::AssuranceLevel {
    match assurance {
        Assurance::Contact => proto::AssuranceLevel::Contact,
        Assurance::Claimed => proto::AssuranceLevel::Claimed,
        Assurance::Proved => proto::AssuranceLevel::Proved,
    }
}

fn document(document: &IdentityDocument) -> proto::IdentityDocument {
    let kind = match document.kind() {
        DocumentKind::Cin => proto::IdentityDocumentKind::Cin,
        DocumentKind::Passport => proto::IdentityDocumentKind::Passport,
        DocumentKind::ResidenceCard => proto::IdentityDocumentKind::ResidenceCard,
    };
    proto::IdentityDocument {
        kind: kind.into(),
        number: document.number().to_owned(),
    }
}

pub(super) fn name(name: &PersonName) -> proto::PersonName {
    proto::PersonName {
        given: name.given().to_owned(),
        family: name.family().to_owned(),
    }
}

pub(super) fn proof(proof: &Proof) -> proto::ProofOfIdentity {
    proto::ProofOfIdentity {
        method: publish::method_of(proof.method).into(),
        office_id: proof.office_id.map(|id| id.to_string()).unwrap_or_default(),
        official_person_id: proof.official_id.map(|id| id.to_string()).unwrap_or_default(),
        prove_time: Some(timestamp(proof.at)),
    }
}

pub(super) fn person(person: &Person) -> proto::Person {
    proto::Person {
        person_id: person.id.to_string(),
        name_arabic: Some(name(&person.civil.name_arabic)),
        name_latin: Some(name(&person.civil.name_latin)),
        birth_date: Some(publish::date_of(person.civil.birth_date)),
        identity_document: Some(document(&person.civil.document)),
        assurance: assurance(person.assurance()).into(),
        email: person.email.as_str().to_owned(),
        phone: person.phone.as_str().to_owned(),
        language: language(person.language).into(),
        delivery_preference: preference(person.delivery_preference).into(),
        totp_enrolled: person.totp_enrolled,
        create_time: Some(timestamp(person.created_at)),
        proof: person.proof.as_ref().map(proof),
        etag: etag(person.version),
    }
}

pub(super) fn subject(subject: &Subject) -> proto::Person {
    match subject {
        Subject::Person(found) => person(found),
        Subject::Contact(contact) => proto::Person {
            person_id: contact.id.to_string(),
            assurance: proto::AssuranceLevel::Contact.into(),
            email: contact.reachable.email.as_str().to_owned(),
            phone: contact.reachable.phone.as_str().to_owned(),
            language: language(contact.reachable.language).into(),
            create_time: Some(timestamp(contact.created_at)),
            ..Default::default()
        },
    }
}

pub(super) fn specimen(version: &SpecimenVersion) -> proto::Specimen {
    proto::Specimen {
        version: version.version,
        deposit_time: Some(timestamp(version.deposited_at)),
        proof: version.proof.as_ref().map(proof),
        image_sha256: version.image_sha256.to_vec(),
    }
}

/// What was just made waits, and whether it ever goes is not told.
pub(super) fn waiting(made: &Delivery) -> proto::CodeDelivery {
    delivery(made, DeliveryState::Waiting)
}

pub(super) fn delivery(delivery: &Delivery, state: DeliveryState) -> proto::CodeDelivery {
    let state = match state {
        DeliveryState::Waiting => proto::CodeDeliveryState::Waiting,
        DeliveryState::Taken => proto::CodeDeliveryState::Taken,
        DeliveryState::Expired => proto::CodeDeliveryState::Expired,
    };
    proto::CodeDelivery {
        delivery_id: delivery.id.to_string(),
        channel: publish::channel_of(delivery.channel).into(),
        state: state.into(),
        expire_time: Some(timestamp(delivery.expires_at)),
    }
}
