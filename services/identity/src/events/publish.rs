//! From facts of the domain to events. No event carries personal data.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use uuid::Uuid;
use wathiq_outbox::NewEvent;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::identity::v1 as proto;

use crate::domain::administration::{Administration, AdministrationFact};
use crate::domain::confirmation::{Confirmation, ConfirmationFact, Purpose};
use crate::domain::delivery::Delivery;
use crate::domain::membership::{Membership, MembershipFact};
use crate::domain::office::{Office, OfficeFact, OfficeKind};
use crate::domain::person::{Person, PersonFact};
use crate::domain::session::{Session, SessionEnd};
use crate::domain::specimen::{Specimen, SpecimenFact};
use crate::domain::vocabulary::{Channel, OfferedService, ProofMethod, Role, Surface, Word};

pub const PERSON: &str = "wathiq.identity.person.v1";
pub const SPECIMEN: &str = "wathiq.identity.specimen.v1";
pub const ORGANISATION: &str = "wathiq.identity.organisation.v1";
pub const DELIVERY: &str = "wathiq.identity.delivery.v1";
pub const CONFIRMATION: &str = "wathiq.identity.confirmation.v1";
pub const SESSION: &str = "wathiq.identity.session.v1";
pub const KEY: &str = "wathiq.identity.key.v1";

/// By the account's stream id: no event names a person.
pub fn person(person: &Person, fact: PersonFact) -> NewEvent {
    let (id, sequence, account_id) = (person.stream_id, person.version, person.stream_id.to_string());
    match fact {
        PersonFact::Registered => {
            let registered = proto::PersonRegistered {
                account_id,
                ..Default::default()
            };
            NewEvent::of(PERSON, id, sequence, &registered)
        }
        PersonFact::Updated(aspect) => {
            let updated = proto::PersonUpdated {
                account_id,
                aspect: aspect.as_str().to_owned(),
                ..Default::default()
            };
            NewEvent::of(PERSON, id, sequence, &updated)
        }
        PersonFact::Proved { method, office_id } => {
            let proved = proto::PersonProved {
                account_id,
                method: method_of(method).into(),
                office_id: optional(office_id),
                ..Default::default()
            };
            NewEvent::of(PERSON, id, sequence, &proved)
        }
    }
}

/// The first event of a session.
pub fn session_opened(session: &Session) -> NewEvent {
    let opened = proto::SessionOpened {
        session_id: session.id.to_string(),
        surface: surface_of(session.surface).into(),
    };
    NewEvent::of(SESSION, session.id, 1, &opened)
}

/// The second and last one: a session ends once.
pub fn session_ended(id: Uuid, end: SessionEnd) -> NewEvent {
    let reason = match end {
        SessionEnd::Person => proto::SessionEndReason::Person,
        SessionEnd::Password => proto::SessionEndReason::Password,
        SessionEnd::Expired => proto::SessionEndReason::Expired,
    };
    let ended = proto::SessionEnded {
        session_id: id.to_string(),
        reason: reason.into(),
    };
    NewEvent::of(SESSION, id, 2, &ended)
}

/// The first event of a signing key.
pub fn key_made(id: Uuid, active_from: DateTime<Utc>) -> NewEvent {
    let made = proto::SigningKeyMade {
        key_id: id.to_string(),
        active_from: Some(timestamp_of(active_from)),
    };
    NewEvent::of(KEY, id, 1, &made)
}

/// The second and last one.
pub fn key_retired(id: Uuid) -> NewEvent {
    let retired = proto::SigningKeyRetired {
        key_id: id.to_string(),
    };
    NewEvent::of(KEY, id, 2, &retired)
}

pub fn specimen(specimen: &Specimen, fact: SpecimenFact) -> NewEvent {
    let (id, sequence, specimen_id) = (specimen.id, specimen.sequence, specimen.id.to_string());
    match fact {
        SpecimenFact::Deposited { version } => NewEvent::of(
            SPECIMEN,
            id,
            sequence,
            &proto::SpecimenDeposited { specimen_id, version },
        ),
        SpecimenFact::Proved {
            version,
            method,
            office_id,
        } => {
            let (method, office_id) = (method_of(method).into(), optional(office_id));
            NewEvent::of(
                SPECIMEN,
                id,
                sequence,
                &proto::SpecimenProved {
                    specimen_id,
                    version,
                    method,
                    office_id,
                },
            )
        }
    }
}

pub fn office(office: &Office, fact: &OfficeFact) -> NewEvent {
    let (id, sequence, office_id) = (office.id, office.version, office.id.to_string());
    match fact {
        OfficeFact::Opened => {
            let opened = proto::OfficeOpened {
                office_id,
                parent_office_id: optional(office.parent_id),
                kind: kind_of(office.details.kind).into(),
                code: office.details.code.as_str().to_owned(),
            };
            NewEvent::of(ORGANISATION, id, sequence, &opened)
        }
        OfficeFact::ServiceChanged(offer) => {
            let changed = proto::OfficeServiceChanged {
                office_id,
                service: service_of(offer.service).into(),
                from: Some(date_of(offer.period.from())),
                to: offer.period.to().map(date_of),
            };
            NewEvent::of(ORGANISATION, id, sequence, &changed)
        }
    }
}

pub fn membership(membership: &Membership, fact: MembershipFact) -> NewEvent {
    let (membership_id, office_id) = (membership.id.to_string(), membership.office_id.to_string());
    let role = role_of(membership.role).into();
    match fact {
        MembershipFact::Granted => {
            let granted = proto::MembershipGranted {
                membership_id,
                office_id,
                role,
            };
            NewEvent::of(ORGANISATION, membership.id, membership.version, &granted)
        }
        MembershipFact::Ended => {
            let ended = proto::MembershipEnded {
                membership_id,
                office_id,
                role,
            };
            NewEvent::of(ORGANISATION, membership.id, membership.version, &ended)
        }
    }
}

pub fn administration(administration: &Administration, fact: AdministrationFact) -> NewEvent {
    let (id, sequence) = (administration.id, administration.version);
    let administration_id = id.to_string();
    match fact {
        AdministrationFact::Enrolled => NewEvent::of(
            ORGANISATION,
            id,
            sequence,
            &proto::AdministrationEnrolled { administration_id },
        ),
        AdministrationFact::Changed => NewEvent::of(
            ORGANISATION,
            id,
            sequence,
            &proto::AdministrationChanged { administration_id },
        ),
    }
}

pub fn delivery_requested(delivery: &Delivery) -> NewEvent {
    let requested = proto::DeliveryRequested {
        delivery_id: delivery.id.to_string(),
        channel: channel_of(delivery.channel).into(),
    };
    NewEvent::of(DELIVERY, delivery.id, 1, &requested)
}

pub fn confirmation(confirmation: &Confirmation, fact: ConfirmationFact) -> NewEvent {
    let (id, sequence, confirmation_id) =
        (confirmation.id, confirmation.version, confirmation.id.to_string());
    match fact {
        ConfirmationFact::Opened(purpose) => {
            let purpose = purpose_of(purpose).into();
            NewEvent::of(
                CONFIRMATION,
                id,
                sequence,
                &proto::ConfirmationOpened {
                    confirmation_id,
                    purpose,
                },
            )
        }
        ConfirmationFact::Given(method) => {
            let method = method.as_str().to_owned();
            NewEvent::of(
                CONFIRMATION,
                id,
                sequence,
                &proto::ConfirmationGiven {
                    confirmation_id,
                    method,
                },
            )
        }
        ConfirmationFact::Redeemed { service } => NewEvent::of(
            CONFIRMATION,
            id,
            sequence,
            &proto::ConfirmationRedeemed {
                confirmation_id,
                service,
            },
        ),
        ConfirmationFact::Barred => NewEvent::of(
            CONFIRMATION,
            id,
            sequence,
            &proto::ConfirmationBarred { confirmation_id },
        ),
    }
}

/// A confirmation that was not used in time.
pub fn confirmation_expired(id: Uuid, version: i64) -> NewEvent {
    let expired = proto::ConfirmationExpired {
        confirmation_id: id.to_string(),
    };
    NewEvent::of(CONFIRMATION, id, version, &expired)
}

fn optional(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// A civil date on the wire.
pub fn date_of(date: NaiveDate) -> Date {
    let part = |value: u32| i32::try_from(value).unwrap_or_default();
    Date {
        year: date.year(),
        month: part(date.month()),
        day: part(date.day()),
    }
}

/// An instant on the wire.
pub fn timestamp_of(at: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}

/// Surfaces on the wire.
pub fn surface_of(surface: Surface) -> proto::SessionSurface {
    match surface {
        Surface::Citizen => proto::SessionSurface::Citizen,
        Surface::Staff => proto::SessionSurface::Staff,
        Surface::Contact => proto::SessionSurface::Contact,
    }
}

/// Methods of proof on the wire.
pub fn method_of(method: ProofMethod) -> proto::ProofMethod {
    match method {
        ProofMethod::InPerson => proto::ProofMethod::InPerson,
        ProofMethod::NationalEid => proto::ProofMethod::NationalEid,
        ProofMethod::Bootstrap => proto::ProofMethod::Bootstrap,
    }
}

/// Kinds of office on the wire.
pub fn kind_of(kind: OfficeKind) -> proto::OfficeKind {
    match kind {
        OfficeKind::Region => proto::OfficeKind::Region,
        OfficeKind::Prefecture => proto::OfficeKind::Prefecture,
        OfficeKind::Commune => proto::OfficeKind::Commune,
        OfficeKind::Annexe => proto::OfficeKind::Annexe,
        OfficeKind::Consulate => proto::OfficeKind::Consulate,
    }
}

/// Offered services on the wire.
pub fn service_of(service: OfferedService) -> proto::OfferedService {
    match service {
        OfferedService::Legalisation => proto::OfferedService::Legalisation,
        OfferedService::IdentityProof => proto::OfferedService::IdentityProof,
        OfferedService::CivilStatusOrders => proto::OfferedService::CivilStatusOrders,
    }
}

/// Roles on the wire.
pub fn role_of(role: Role) -> proto::OfficeRole {
    match role {
        Role::Agent => proto::OfficeRole::Agent,
        Role::Officer => proto::OfficeRole::Officer,
        Role::Administrator => proto::OfficeRole::Administrator,
    }
}

/// Channels on the wire.
pub fn channel_of(channel: Channel) -> proto::ContactChannel {
    match channel {
        Channel::Email => proto::ContactChannel::Email,
        Channel::Phone => proto::ContactChannel::Phone,
    }
}

/// Purposes on the wire.
pub fn purpose_of(purpose: Purpose) -> proto::ConfirmationPurpose {
    match purpose {
        Purpose::Legalise => proto::ConfirmationPurpose::Legalise,
        Purpose::Seal => proto::ConfirmationPurpose::Seal,
    }
}
