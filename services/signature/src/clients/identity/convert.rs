//! Identity's answers as this service's own values.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;
use wathiq_chassis::Grant;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::identity::v1 as pb;

use super::{
    AdministrationStatus, Authorization, ConfirmationRecord, IdentityError, Membership, Office, Specimen,
};
use crate::domain::comparison::SpecimenProof;
use crate::domain::destination::Administration;
use crate::domain::person::{IdentityDocumentKind, Signer};
use crate::domain::role;

pub(super) fn office(office: Option<pb::Office>) -> Result<Office, IdentityError> {
    let office = office.ok_or(IdentityError::Unusable("office"))?;
    let legalisation = office
        .services
        .iter()
        .filter(|period| period.service() == pb::OfferedService::Legalisation)
        .map(|period| {
            let from = date(period.from)?.ok_or(IdentityError::Unusable("service period"))?;
            Ok((from, date(period.to)?))
        })
        .collect::<Result<_, IdentityError>>()?;
    Ok(Office {
        id: id(&office.office_id, "office id")?,
        code: office.code,
        parent_id: optional_id(&office.parent_office_id, "parent office id")?,
        name_ar: office.name_ar,
        name_fr: office.name_fr,
        legalisation,
        active_from: date(office.active_from)?,
        active_to: date(office.active_to)?,
    })
}

pub(super) fn administration(
    answer: pb::GetAdministrationResponse,
) -> Result<AdministrationStatus, IdentityError> {
    let administration = answer
        .administration
        .ok_or(IdentityError::Unusable("administration"))?;
    Ok(AdministrationStatus {
        administration: Administration {
            id: id(&administration.administration_id, "administration id")?,
            name_ar: administration.name_ar,
            name_fr: administration.name_fr,
        },
        enrolled_today: answer.enrolled_today,
    })
}

pub(super) fn authorization(answer: pb::GetAuthorizationResponse) -> Result<Authorization, IdentityError> {
    let proved = answer.assurance() == pb::AssuranceLevel::Proved;
    let grants = answer
        .grants
        .iter()
        .map(|grant| {
            Ok(Grant {
                office_id: id(&grant.office_id, "office id")?,
                role: role_name(grant.role())?.to_owned(),
            })
        })
        .collect::<Result<_, IdentityError>>()?;
    Ok(Authorization {
        session_live: answer.session_live,
        proved,
        grants,
        platform_administrator: answer.platform_administrator,
    })
}

fn role_name(role: pb::OfficeRole) -> Result<&'static str, IdentityError> {
    match role {
        pb::OfficeRole::Agent => Ok(role::AGENT),
        pb::OfficeRole::Officer => Ok(role::OFFICER),
        pb::OfficeRole::Administrator => Ok(role::ADMINISTRATOR),
        pb::OfficeRole::Unspecified => Err(IdentityError::Unusable("role")),
    }
}

pub(super) fn membership(membership: &pb::Membership) -> Result<Membership, IdentityError> {
    Ok(Membership {
        person_id: id(&membership.person_id, "person id")?,
        role: role_name(membership.role())?.to_owned(),
        from: date(membership.from)?.ok_or(IdentityError::Unusable("membership"))?,
        to: date(membership.to)?,
    })
}

pub(super) fn signer(person: Option<pb::Person>) -> Result<Signer, IdentityError> {
    let person = person.ok_or(IdentityError::Unusable("person"))?;
    let arabic = person.name_arabic.unwrap_or_default();
    let latin = person.name_latin.unwrap_or_default();
    let document = person
        .identity_document
        .ok_or(IdentityError::Unusable("identity document"))?;
    let document_kind = match document.kind() {
        pb::IdentityDocumentKind::Cin => IdentityDocumentKind::Cin,
        pb::IdentityDocumentKind::Passport => IdentityDocumentKind::Passport,
        pb::IdentityDocumentKind::ResidenceCard => IdentityDocumentKind::ResidenceCard,
        pb::IdentityDocumentKind::Unspecified => {
            return Err(IdentityError::Unusable("kind of identity document"));
        }
    };
    Ok(Signer {
        given_name_arabic: arabic.given,
        family_name_arabic: arabic.family,
        given_name_latin: latin.given,
        family_name_latin: latin.family,
        document_kind,
        document_number: document.number,
    })
}

pub(super) fn specimen(answer: pb::GetSpecimenForReviewResponse) -> Result<Specimen, IdentityError> {
    let specimen = answer.specimen.ok_or(IdentityError::Unusable("specimen"))?;
    let proof = specimen
        .proof
        .ok_or(IdentityError::Unusable("proof of the specimen"))?;
    let method = match proof.method() {
        pb::ProofMethod::Unspecified => return Err(IdentityError::Unusable("method of proof")),
        method => method
            .as_str_name()
            .trim_start_matches("PROOF_METHOD_")
            .to_owned(),
    };
    Ok(Specimen {
        version: specimen.version,
        proof: SpecimenProof {
            method,
            office_id: optional_id(&proof.office_id, "office id")?,
            at: instant(proof.prove_time, "time of proof")?,
        },
        image_png: answer.image_png,
    })
}

pub(super) fn confirmation_record(
    record: Option<pb::ConfirmationRecord>,
) -> Result<ConfirmationRecord, IdentityError> {
    let record = record.ok_or(IdentityError::Unusable("confirmation record"))?;
    Ok(ConfirmationRecord {
        confirmation_id: id(&record.confirmation_id, "confirmation id")?,
        person_id: id(&record.person_id, "person id")?,
        method: record.method,
        confirmed_at: instant(record.confirm_time, "time of confirmation")?,
        jws: record.jws,
    })
}

fn id(text: &str, what: &'static str) -> Result<Uuid, IdentityError> {
    Uuid::try_parse(text).map_err(|_| IdentityError::Unusable(what))
}

fn optional_id(text: &str, what: &'static str) -> Result<Option<Uuid>, IdentityError> {
    if text.is_empty() {
        Ok(None)
    } else {
        id(text, what).map(Some)
    }
}

fn date(date: Option<Date>) -> Result<Option<NaiveDate>, IdentityError> {
    let Some(date) = date else { return Ok(None) };
    let parts = (u32::try_from(date.month), u32::try_from(date.day));
    let (Ok(month), Ok(day)) = parts else {
        return Err(IdentityError::Unusable("date"));
    };
    NaiveDate::from_ymd_opt(date.year, month, day)
        .map(Some)
        .ok_or(IdentityError::Unusable("date"))
}

fn instant(time: Option<prost_types::Timestamp>, what: &'static str) -> Result<DateTime<Utc>, IdentityError> {
    let time = time.ok_or(IdentityError::Unusable(what))?;
    let nanos = u32::try_from(time.nanos).map_err(|_| IdentityError::Unusable(what))?;
    DateTime::from_timestamp(time.seconds, nanos).ok_or(IdentityError::Unusable(what))
}
