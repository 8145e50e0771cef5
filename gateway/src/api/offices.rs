//! Offices, what they offer, and who works there.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api::wire::{CivilDate, Show, Word, body, view, words};
use crate::api::{Answer, Created, Listing, ListingBody, PageQuery, Tagged, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query, body_problem};
use crate::problem::Problem;
use crate::session::User;

words! {
    /// Kinds of office.
    OfficeKind from pb::OfficeKind { Region, Prefecture, Commune, Annexe, Consulate }
    /// Services an office may offer.
    OfferedService from pb::OfferedService { Legalisation, IdentityProof, CivilStatusOrders }
    /// Roles at an office.
    OfficeRole from pb::OfficeRole { Agent, Officer, Administrator }
}

view! {
    /// An office.
    Office from pb::Office {
        office_id: String,
        /// Short unique code, stable.
        code: String,
        parent_office_id: Option<String>,
        kind: OfficeKind,
        name_ar: String,
        name_fr: String,
        hcp_code: Option<String>,
        services: Vec<ServicePeriod>,
        active_from: Option<CivilDate>,
        active_to: Option<CivilDate>,
        etag: String,
    }
    /// A period in which an office offers a service; both ends are included.
    ServicePeriod from pb::OfficeServicePeriod {
        service: OfferedService,
        from: Option<CivilDate>,
        to: Option<CivilDate>,
    }
    /// The offices opened by an import.
    ImportedOffices from pb::ImportOfficesResponse {
        offices: Vec<Office>,
    }
    /// A person's role at an office.
    Membership from pb::Membership {
        membership_id: String,
        office_id: String,
        person_id: String,
        role: OfficeRole,
        /// The member whom a deputy stands in for.
        deputy_for_membership_id: Option<String>,
        from: Option<CivilDate>,
        to: Option<CivilDate>,
        display_name: String,
    }
}

body! {
    /// A new office.
    NewOffice {
        code: String,
        #[serde(default)]
        parent_office_id: Option<String>,
        kind: OfficeKind,
        name_ar: String,
        name_fr: String,
        #[serde(default)]
        hcp_code: Option<String>,
    }
    /// From when to when a service is offered.
    ServiceDates {
        from: CivilDate,
        #[serde(default)]
        to: Option<CivilDate>,
    }
    /// A role for a person, named by id or by the e-mail address of the account.
    NewMembership {
        #[serde(default)]
        person_id: Option<String>,
        #[serde(default)]
        email: Option<String>,
        role: OfficeRole,
        #[serde(default)]
        deputy_for_membership_id: Option<String>,
        from: CivilDate,
        #[serde(default)]
        to: Option<CivilDate>,
    }
}

/// Which offices are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfficesQuery {
    #[serde(default)]
    parent_office_id: String,
    /// Only offices that offer it today.
    #[serde(default)]
    #[param(inline)]
    offering: Option<OfferedService>,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_offices, create_office))
        .routes(routes!(import_offices))
        .routes(routes!(get_office))
        .routes(routes!(set_office_service))
        .routes(routes!(list_memberships, grant_membership))
        .routes(routes!(end_membership))
}

fn tagged(status: StatusCode, office: Option<pb::Office>) -> Answer<Tagged<Office>> {
    let office = filled(office)?;
    Ok(Tagged {
        status,
        etag: office.etag.clone(),
        resource: office.show(),
    })
}

/// Offices, below a parent or offering a service today.
#[utoipa::path(get, path = "/v1/offices", tag = "offices", params(OfficesQuery), responses((status = 200, body = ListingBody<Office>)))]
async fn list_offices(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<OfficesQuery>,
) -> Answer<Listing<Office>> {
    let request = pb::ListOfficesRequest {
        page_size: query.page_size,
        page_token: query.page_token,
        parent_office_id: query.parent_office_id,
        offering: query.offering.map_or(0, OfferedService::number),
    };
    let answer = app
        .clients
        .organisation()
        .list_offices(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.offices.show(), answer.next_page_token))
}

/// Opens an office.
#[utoipa::path(post, path = "/v1/offices", tag = "offices", request_body = NewOffice, responses((status = 201, body = Office)))]
async fn create_office(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewOffice>,
) -> Answer<Tagged<Office>> {
    let request = pb::CreateOfficeRequest {
        request_id,
        code: body.code,
        parent_office_id: body.parent_office_id.unwrap_or_default(),
        kind: body.kind.number(),
        name_ar: body.name_ar,
        name_fr: body.name_fr,
        hcp_code: body.hcp_code.unwrap_or_default(),
    };
    let answer = app.clients.organisation().create_office(request).await?;
    tagged(StatusCode::CREATED, answer.into_inner().office)
}

/// Opens many offices from a CSV: all rows or none.
#[utoipa::path(post, path = "/v1/offices/import", tag = "offices", request_body(content = String, content_type = "text/csv", description = "RFC 4180, UTF-8, with the header code,parent_code,kind,name_ar,name_fr,hcp_code."), responses((status = 201, body = ImportedOffices)))]
async fn import_offices(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Answer<Created<ImportedOffices>> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if content_type
        .and_then(|value| value.split(';').next())
        .map(str::trim)
        != Some("text/csv")
    {
        let what = "send the table as text/csv";
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            what,
        ));
    }
    let csv = body
        .map_err(|rejection| body_problem(rejection.status()))?
        .to_vec();
    let answer = app
        .clients
        .organisation()
        .import_offices(pb::ImportOfficesRequest { request_id, csv })
        .await?;
    Ok(Created(answer.into_inner().show()))
}

/// One office.
#[utoipa::path(get, path = "/v1/offices/{office_id}", tag = "offices", responses((status = 200, body = Office)))]
async fn get_office(State(app): State<App>, Path(office_id): Path<String>) -> Answer<Tagged<Office>> {
    let answer = app
        .clients
        .organisation()
        .get_office(pb::GetOfficeRequest { office_id })
        .await?;
    tagged(StatusCode::OK, answer.into_inner().office)
}

/// Opens or closes a service at an office from a date to a date.
#[utoipa::path(put, path = "/v1/offices/{office_id}/services/{service}", tag = "offices", params(("office_id" = String, Path), ("service" = OfferedService, Path)), request_body = ServiceDates, responses((status = 200, body = Office)))]
async fn set_office_service(
    State(app): State<App>,
    _: User,
    Path((office_id, service)): Path<(String, OfferedService)>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<ServiceDates>,
) -> Answer<Tagged<Office>> {
    let period = pb::OfficeServicePeriod {
        service: service.number(),
        from: Some(body.from.message()),
        to: body.to.map(CivilDate::message),
    };
    let request = pb::SetOfficeServiceRequest {
        request_id,
        office_id,
        period: Some(period),
    };
    let answer = app.clients.organisation().set_office_service(request).await?;
    tagged(StatusCode::OK, answer.into_inner().office)
}

/// Memberships of an office.
#[utoipa::path(get, path = "/v1/offices/{office_id}/memberships", tag = "offices", params(PageQuery), responses((status = 200, body = ListingBody<Membership>)))]
async fn list_memberships(
    State(app): State<App>,
    _: User,
    Path(office_id): Path<String>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Answer<Listing<Membership>> {
    let request = pb::ListMembershipsRequest {
        office_id,
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = app
        .clients
        .organisation()
        .list_memberships(request)
        .await?
        .into_inner();
    Ok(Listing::new(
        uri,
        answer.memberships.show(),
        answer.next_page_token,
    ))
}

/// Gives a proved person a role at an office from a date to a date.
#[utoipa::path(post, path = "/v1/offices/{office_id}/memberships", tag = "offices", request_body = NewMembership, responses((status = 201, body = Membership)))]
async fn grant_membership(
    State(app): State<App>,
    _: User,
    Path(office_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewMembership>,
) -> Answer<Created<Membership>> {
    use pb::grant_membership_request::Person;
    let person = match (body.person_id, body.email) {
        (Some(person_id), None) => Person::PersonId(person_id),
        (None, Some(email)) => Person::Email(email),
        _ => {
            return Err(Problem::field(
                "/person_id",
                "ONE_PERSON",
                "give either person_id or email",
            ));
        }
    };
    let request = pb::GrantMembershipRequest {
        request_id,
        office_id,
        person: Some(person),
        role: body.role.number(),
        deputy_for_membership_id: body.deputy_for_membership_id.unwrap_or_default(),
        from: Some(body.from.message()),
        to: body.to.map(CivilDate::message),
    };
    let answer = app.clients.organisation().grant_membership(request).await?;
    Ok(Created(filled(answer.into_inner().membership)?.show()))
}

/// Ends a membership.
#[utoipa::path(post, path = "/v1/memberships/{membership_id}/end", tag = "offices", responses((status = 200, body = Membership)))]
async fn end_membership(
    State(app): State<App>,
    _: User,
    Path(membership_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
) -> Answer<Json<Membership>> {
    let request = pb::EndMembershipRequest {
        request_id,
        membership_id,
    };
    let answer = app.clients.organisation().end_membership(request).await?;
    Ok(Json(filled(answer.into_inner().membership)?.show()))
}
