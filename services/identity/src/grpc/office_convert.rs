//! Offices, memberships and administrations, read and written.

use wathiq_chassis::FieldViolation;
use wathiq_proto::wathiq::identity::v1 as proto;
use wathiq_proto::wathiq::identity::v1::grant_membership_request;

use super::account_convert::email;
use super::convert::{etag, read_role, timestamp};
use super::fields::Fields;
use crate::app::grant_membership::Named;
use crate::domain::administration::Administration;
use crate::domain::membership::{Membership, NewMembership};
use crate::domain::office::{
    Office, OfficeCode, OfficeDetails, OfficeError, OfficeKind, Period, ServicePeriod, arabic_name,
    french_name, hcp_code,
};
use crate::domain::vocabulary::OfferedService;
use crate::events::publish::{date_of, kind_of, role_of, service_of};

fn read_kind(kind: proto::OfficeKind) -> Option<OfficeKind> {
    match kind {
        proto::OfficeKind::Unspecified => None,
        proto::OfficeKind::Region => Some(OfficeKind::Region),
        proto::OfficeKind::Prefecture => Some(OfficeKind::Prefecture),
        proto::OfficeKind::Commune => Some(OfficeKind::Commune),
        proto::OfficeKind::Annexe => Some(OfficeKind::Annexe),
        proto::OfficeKind::Consulate => Some(OfficeKind::Consulate),
    }
}

pub(super) fn read_service(service: proto::OfferedService) -> Option<OfferedService> {
    match service {
        proto::OfferedService::Unspecified => None,
        proto::OfferedService::Legalisation => Some(OfferedService::Legalisation),
        proto::OfferedService::IdentityProof => Some(OfferedService::IdentityProof),
        proto::OfferedService::CivilStatusOrders => Some(OfferedService::CivilStatusOrders),
    }
}

pub(super) fn checked<T>(fields: &mut Fields, field: &str, result: Result<T, OfficeError>) -> Option<T> {
    fields.take(result.map_err(|error| FieldViolation::new(field, error.reason(), error.to_string())))
}

pub(super) fn details(fields: &mut Fields, request: &proto::CreateOfficeRequest) -> Option<OfficeDetails> {
    let code = checked(fields, "code", OfficeCode::parse(&request.code));
    let kind = fields.word("kind", request.kind, read_kind);
    let name_ar = checked(fields, "name_ar", arabic_name(&request.name_ar));
    let name_fr = checked(fields, "name_fr", french_name(&request.name_fr));
    let hcp_code = checked(fields, "hcp_code", hcp_code(&request.hcp_code));
    Some(OfficeDetails {
        code: code?,
        kind: kind?,
        name_ar: name_ar?,
        name_fr: name_fr?,
        hcp_code: hcp_code?,
    })
}

pub(super) fn service_period(
    fields: &mut Fields,
    message: Option<proto::OfficeServicePeriod>,
) -> Option<ServicePeriod> {
    let message = message.unwrap_or_default();
    let service = fields.word("period.service", message.service, read_service);
    let period = fields.period("period", message.from, message.to);
    Some(ServicePeriod {
        service: service?,
        period: period?,
    })
}

pub(super) fn new_membership(
    fields: &mut Fields,
    request: &proto::GrantMembershipRequest,
) -> Option<(Named, NewMembership)> {
    let office_id = fields.id("office_id", &request.office_id);
    let role = fields.word("role", request.role, read_role);
    let deputy_for = fields.optional_id("deputy_for_membership_id", &request.deputy_for_membership_id);
    let period = fields.period("", request.from, request.to);
    if deputy_for.is_some_and(|member| member.is_some()) && period.is_some_and(|period| period.to().is_none())
    {
        fields.note("to", "REQUIRED", "a deputy stands in until a date");
    }
    let named = match &request.person {
        Some(grant_membership_request::Person::PersonId(id)) => fields.id("person_id", id).map(Named::Id),
        Some(grant_membership_request::Person::Email(text)) => email(fields, "email", text).map(Named::Email),
        None => {
            fields.note(
                "person_id",
                "REQUIRED",
                "the person is named by id or e-mail address",
            );
            None
        }
    };
    let membership = NewMembership {
        office_id: office_id?,
        role: role?,
        deputy_for: deputy_for?,
        period: period?,
    };
    Some((named?, membership))
}

fn service_message(offer: &ServicePeriod) -> proto::OfficeServicePeriod {
    proto::OfficeServicePeriod {
        service: service_of(offer.service).into(),
        from: Some(date_of(offer.period.from())),
        to: offer.period.to().map(date_of),
    }
}

pub(super) fn office(office: &Office) -> proto::Office {
    proto::Office {
        office_id: office.id.to_string(),
        code: office.details.code.as_str().to_owned(),
        parent_office_id: office.parent_id.map(|id| id.to_string()).unwrap_or_default(),
        kind: kind_of(office.details.kind).into(),
        name_ar: office.details.name_ar.clone(),
        name_fr: office.details.name_fr.clone(),
        hcp_code: office.details.hcp_code.clone(),
        services: office.services.iter().map(service_message).collect(),
        active_from: Some(date_of(office.active.from())),
        active_to: office.active.to().map(date_of),
        etag: etag(office.version),
    }
}

pub(super) fn membership(membership: &Membership) -> proto::Membership {
    proto::Membership {
        membership_id: membership.id.to_string(),
        office_id: membership.office_id.to_string(),
        person_id: membership.person_id.to_string(),
        role: role_of(membership.role).into(),
        deputy_for_membership_id: membership.deputy_for.map(|id| id.to_string()).unwrap_or_default(),
        from: Some(date_of(membership.period.from())),
        to: last_day(membership).map(date_of),
        display_name: membership.display_name.clone(),
    }
}

/// A membership that was ended does not go on to the date it was given.
fn last_day(membership: &Membership) -> Option<chrono::NaiveDate> {
    let ended = membership.ended_at.map(wathiq_chassis::civil_date);
    match (ended, membership.period.to()) {
        (Some(ended), Some(to)) => Some(ended.min(to)),
        (ended, to) => ended.or(to),
    }
}

pub(super) fn administration(administration: &Administration) -> proto::Administration {
    let enrolled: Period = administration.enrolled;
    proto::Administration {
        administration_id: administration.id.to_string(),
        name_ar: administration.name_ar.clone(),
        name_fr: administration.name_fr.clone(),
        enrolled_from: Some(date_of(enrolled.from())),
        enrolled_to: enrolled.to().map(date_of),
        create_time: Some(timestamp(administration.created_at)),
        etag: etag(administration.version),
    }
}
