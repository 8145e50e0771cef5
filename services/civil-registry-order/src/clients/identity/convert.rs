//! Identity's answers as this service's own values.

use chrono::NaiveDate;
use uuid::Uuid;
use wathiq_chassis::Grant;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::identity::v1 as pb;

use super::{Authorization, Membership, Office, Person, SERVICE};
use crate::clients::ClientError;
use crate::domain::role;

fn unusable(what: &'static str) -> ClientError {
    ClientError::Unusable {
        service: SERVICE,
        what,
    }
}

pub(super) fn office(office: pb::Office, today: NaiveDate) -> Result<Office, ClientError> {
    let within = |from: Option<Date>, to: Option<Date>| -> Result<bool, ClientError> {
        let (from, to) = (date(from)?, date(to)?);
        Ok(from.is_none_or(|from| from <= today) && to.is_none_or(|to| today <= to))
    };
    let holds_registers = !matches!(office.kind(), pb::OfficeKind::Region | pb::OfficeKind::Prefecture);
    let active = within(office.active_from, office.active_to)?;
    let mut offers = false;
    for period in office.services {
        if period.service() == pb::OfferedService::CivilStatusOrders {
            offers |= within(period.from, period.to)?;
        }
    }
    Ok(Office {
        id: id(&office.office_id, "office id")?,
        parent_id: match office.parent_office_id.as_str() {
            "" => None,
            parent => Some(id(parent, "office id")?),
        },
        code: office.code,
        name_ar: office.name_ar,
        name_fr: office.name_fr,
        open: active && offers,
        holds_registers,
    })
}

pub(super) fn authorization(answer: pb::GetAuthorizationResponse) -> Result<Authorization, ClientError> {
    let grants = answer
        .grants
        .iter()
        .map(|grant| {
            Ok(Grant {
                office_id: id(&grant.office_id, "office id")?,
                role: role_name(grant.role())?.to_owned(),
            })
        })
        .collect::<Result<_, ClientError>>()?;
    Ok(Authorization {
        session_live: answer.session_live,
        grants,
    })
}

fn role_name(role: pb::OfficeRole) -> Result<&'static str, ClientError> {
    match role {
        pb::OfficeRole::Agent => Ok(role::AGENT),
        pb::OfficeRole::Officer => Ok(role::OFFICER),
        pb::OfficeRole::Administrator => Ok(role::ADMINISTRATOR),
        pb::OfficeRole::Unspecified => Err(unusable("role")),
    }
}

pub(super) fn membership(membership: &pb::Membership) -> Result<Membership, ClientError> {
    Ok(Membership {
        person_id: id(&membership.person_id, "person id")?,
        role: role_name(membership.role())?.to_owned(),
        from: date(membership.from)?.ok_or_else(|| unusable("membership"))?,
        to: date(membership.to)?,
    })
}

pub(super) fn person(person: Option<pb::Person>) -> Result<Person, ClientError> {
    let person = person.ok_or_else(|| unusable("person"))?;
    let proved = person.assurance() == pb::AssuranceLevel::Proved;
    let arabic = person.name_arabic.unwrap_or_default();
    let latin = person.name_latin.unwrap_or_default();
    Ok(Person {
        given_latin: latin.given,
        family_latin: latin.family,
        given_arabic: arabic.given,
        family_arabic: arabic.family,
        birth_date: date(person.birth_date)?,
        identity_document: person
            .identity_document
            .map(|document| document.number)
            .unwrap_or_default(),
        email: person.email,
        phone: person.phone,
        proved,
    })
}

fn id(text: &str, what: &'static str) -> Result<Uuid, ClientError> {
    Uuid::try_parse(text).map_err(|_| unusable(what))
}

fn date(date: Option<Date>) -> Result<Option<NaiveDate>, ClientError> {
    let Some(date) = date else { return Ok(None) };
    let parts = (u32::try_from(date.month), u32::try_from(date.day));
    let (Ok(month), Ok(day)) = parts else {
        return Err(unusable("date"));
    };
    NaiveDate::from_ymd_opt(date.year, month, day)
        .map(Some)
        .ok_or_else(|| unusable("date"))
}
