//! Reference data of orders: what can be ordered, what it costs, who holds which register; and the differences between
//! the books and the providers of payments.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use chrono::{DateTime, Utc};
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::payment::v1 as payment;

use crate::api::civil_status::{DeliveryAddress, DocumentLanguage, Price, RegisterKind, Relation};
use crate::api::payments::Refund;
use crate::api::wire::{CivilDate, Show, Tell, body, both, view};
use crate::api::{Answer, Listing, ListingBody, PageQuery, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

both! {
    /// A kind of document: form, routing, entitlement, template, issuing administration.
    OrderDocumentKind from pb::DocumentKind {
        /// Lower case and hyphens; in an address it may be left out.
        code: String,
        register_kind: Option<RegisterKind>,
        name_ar: String,
        name_fr: String,
        name_en: String,
        /// `EXTRACT` or `FULL_COPY`.
        form: String,
        /// `OFFICE_OF_REGISTRATION`: to the office that holds the register; `CHOSEN_OFFICE`: to any, as the applicant chooses.
        routing: String,
        relations: Vec<Relation>,
        relations_with_evidence: Vec<Relation>,
        languages: Vec<DocumentLanguage>,
        /// Name of the template, versioned by the law in force.
        template: String,
        issuing_administration_ar: String,
        issuing_administration_fr: String,
        /// `OFFICER_KEY`, `ELECTRONIC_SEAL` or `BY_HAND`.
        seal_mode: String,
        production_working_days: i32,
        valid_from: Option<CivilDate>,
        valid_to: Option<CivilDate>,
    }
    /// What an office of civil status is and has.
    OfficeProfile from pb::OfficeProfile {
        /// That of the address.
        office_id: String,
        province_ar: String,
        province_fr: String,
        commune_ar: String,
        commune_fr: String,
        bureau_ar: String,
        bureau_fr: String,
        /// One mailbox for the daily mail.
        email: String,
        /// `ar` or `fr`.
        language: String,
        address: Option<DeliveryAddress>,
        /// What the office makes is signed by hand.
        signs_by_hand: bool,
        /// Kinds sealed with the institution's electronic seal here.
        electronic_seal_kinds: Vec<String>,
    }
    /// The price of each act from a number of copies on.
    OrderFeeStep from pb::FeeStep {
        /// 1 to 10.
        from_copies: i32,
        price: Option<Price>,
    }
}

body! {
    /// A fee from a date on, for all numbers of copies.
    OrderFee {
        document_kind: String,
        /// `MOROCCO` or the name of a zone abroad.
        zone: String,
        /// The price of each act from this number of copies on; not with `steps`.
        #[serde(default)]
        from_copies: Option<i32>,
        /// Not with `steps`.
        #[serde(default)]
        price: Option<Price>,
        /// Prices by number of copies, from few to many.
        #[serde(default)]
        steps: Vec<OrderFeeStep>,
        valid_from: CivilDate,
        /// Last day; null until another fee is set.
        #[serde(default)]
        valid_to: Option<CivilDate>,
    }
    /// The most that an act may cost inside Morocco.
    FeeCeiling {
        ceiling_centimes: i64,
        valid_from: CivilDate,
        /// The text that moves it.
        legal_reference: String,
    }
    /// The form of a template and the law that it cites, from a day on.
    TemplateVersion {
        /// As the document prints it.
        law_fr: String,
        law_ar: String,
        /// Documents made from this day on cite it: today or later.
        valid_from: CivilDate,
        /// Last day; null until another version is set.
        #[serde(default)]
        valid_to: Option<CivilDate>,
        /// The form as Typst, at most 64 KiB, whole in itself; null: the form of this name that the service brings.
        #[serde(default)]
        source: Option<String>,
        /// The register that the form draws, where there is a source.
        #[serde(default)]
        register_kind: Option<RegisterKind>,
        /// `EXTRACT` or `FULL_COPY`, where there is a source.
        #[serde(default)]
        form: Option<String>,
        /// The form draws both languages on one page too.
        #[serde(default)]
        bilingual: bool,
    }
    /// What is said of a day.
    Holiday {
        /// Today or later.
        day: CivilDate,
        /// What is celebrated, or why it is not.
        name: String,
        /// Offices work on that day after all.
        #[serde(default)]
        working: bool,
    }
    /// The zone of the fees of a country from a date on.
    DestinationZone {
        /// Such as `EUROPE`; `MOROCCO` is Morocco's alone.
        zone: String,
        valid_from: CivilDate,
    }
    /// Who holds registers of an office from a date on.
    RegisterCustody {
        /// The office of registration.
        office_id: String,
        kind: RegisterKind,
        /// Years of the registers that moved, both included; null leaves the end open.
        #[serde(default)]
        from_year: Option<i32>,
        #[serde(default)]
        to_year: Option<i32>,
        held_by_office_id: String,
        valid_from: CivilDate,
    }
}

view! {
    /// One attempt to pay on which books and provider disagree, or money that could not be given back.
    PaymentDifference from payment::Difference {
        attempt_id: String,
        payable_id: String,
        provider: String,
        provider_order_id: String,
        /// Such as `PROVIDER_HAS_MORE`.
        reason: String,
        ours_centimes: i64,
        theirs_centimes: i64,
        find_time: Option<DateTime<Utc>>,
    }
    /// Refunds that are tried anew.
    RetriedRefunds from payment::RetryRefundsResponse {
        refunds: Vec<Refund>,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(put_document_kind))
        .routes(routes!(set_order_fee))
        .routes(routes!(set_fee_ceiling))
        .routes(routes!(put_template_version))
        .routes(routes!(set_holiday))
        .routes(routes!(set_destination_zone))
        .routes(routes!(set_register_custody))
        .routes(routes!(set_office_profile, get_office_profile))
        .routes(routes!(list_payment_differences))
        .routes(routes!(retry_refunds))
}

/// Adds a kind of document, or a version of it from a date on.
#[utoipa::path(put, path = "/v1/civil-status/document-kinds/{code}", tag = "administration", request_body = OrderDocumentKind, responses((status = 200, body = OrderDocumentKind)))]
async fn put_document_kind(
    State(app): State<App>,
    _: User,
    Path(code): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(mut body): Body<OrderDocumentKind>,
) -> Answer<Json<OrderDocumentKind>> {
    body.code = code;
    let request = pb::PutDocumentKindRequest {
        request_id,
        document_kind: Some(body.tell()),
    };
    let answer = app
        .clients
        .order_administration()
        .put_document_kind(request)
        .await?;
    Ok(Json(filled(answer.into_inner().document_kind)?.show()))
}

/// Sets a fee from a date on, whole: no step of an earlier one stands beside it. The past stays.
#[utoipa::path(put, path = "/v1/civil-status/fees", tag = "administration", request_body = OrderFee, responses((status = 204)))]
async fn set_order_fee(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<OrderFee>,
) -> Answer<StatusCode> {
    let request = pb::SetFeeRequest {
        request_id,
        document_kind: body.document_kind,
        zone: body.zone,
        from_copies: body.from_copies.tell(),
        price: body.price.tell(),
        steps: body.steps.tell(),
        valid_from: Some(body.valid_from.tell()),
        valid_to: body.valid_to.tell(),
    };
    app.clients.order_administration().set_fee(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Moves the ceiling from a date on.
#[utoipa::path(put, path = "/v1/civil-status/fee-ceiling", tag = "administration", request_body = FeeCeiling, responses((status = 204)))]
async fn set_fee_ceiling(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<FeeCeiling>,
) -> Answer<StatusCode> {
    let request = pb::SetFeeCeilingRequest {
        request_id,
        ceiling_centimes: body.ceiling_centimes,
        valid_from: Some(body.valid_from.tell()),
        legal_reference: body.legal_reference,
    };
    app.clients
        .order_administration()
        .set_fee_ceiling(request)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets the form of a template and the law that it cites, from a day on; what was made before stays as it is.
#[utoipa::path(put, path = "/v1/civil-status/templates/{template}/law", tag = "administration", request_body = TemplateVersion, responses((status = 204)))]
async fn put_template_version(
    State(app): State<App>,
    _: User,
    Path(template): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<TemplateVersion>,
) -> Answer<StatusCode> {
    let request = pb::PutTemplateVersionRequest {
        request_id,
        template,
        law_fr: body.law_fr,
        law_ar: body.law_ar,
        valid_from: Some(body.valid_from.tell()),
        valid_to: body.valid_to.tell(),
        source: body.source.tell(),
        register_kind: body.register_kind.tell(),
        form: body.form.tell(),
        bilingual: body.bilingual,
    };
    app.clients
        .order_administration()
        .put_template_version(request)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says that offices are closed on a day, or open after all; deadlines that are set from then on know it.
#[utoipa::path(put, path = "/v1/civil-status/holidays", tag = "administration", request_body = Holiday, responses((status = 204)))]
async fn set_holiday(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<Holiday>,
) -> Answer<StatusCode> {
    let request = pb::SetHolidayRequest {
        request_id,
        day: Some(body.day.tell()),
        name: body.name,
        working: body.working,
    };
    app.clients.order_administration().set_holiday(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a country, or all that are not named (`*`), into a zone of the fees from a date on.
#[utoipa::path(put, path = "/v1/civil-status/destination-zones/{country_code}", tag = "administration", request_body = DestinationZone, responses((status = 204)))]
async fn set_destination_zone(
    State(app): State<App>,
    _: User,
    Path(country_code): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<DestinationZone>,
) -> Answer<StatusCode> {
    let request = pb::SetDestinationZoneRequest {
        request_id,
        country_code,
        zone: body.zone,
        valid_from: Some(body.valid_from.tell()),
    };
    app.clients
        .order_administration()
        .set_destination_zone(request)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says which office holds registers of an office of registration from a date on.
#[utoipa::path(put, path = "/v1/civil-status/register-custody", tag = "administration", request_body = RegisterCustody, responses((status = 204)))]
async fn set_register_custody(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<RegisterCustody>,
) -> Answer<StatusCode> {
    let request = pb::SetRegisterCustodyRequest {
        request_id,
        office_id: body.office_id,
        kind: body.kind.tell(),
        from_year: body.from_year.tell(),
        to_year: body.to_year.tell(),
        held_by_office_id: body.held_by_office_id,
        valid_from: Some(body.valid_from.tell()),
    };
    app.clients
        .order_administration()
        .set_register_custody(request)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets an office's address, mailbox, path and seal.
#[utoipa::path(put, path = "/v1/offices/{office_id}/civil-status-profile", tag = "administration", request_body = OfficeProfile, responses((status = 200, body = OfficeProfile)))]
async fn set_office_profile(
    State(app): State<App>,
    _: User,
    Path(office_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(mut body): Body<OfficeProfile>,
) -> Answer<Json<OfficeProfile>> {
    body.office_id = office_id;
    let request = pb::SetOfficeProfileRequest {
        request_id,
        profile: Some(body.tell()),
    };
    let answer = app
        .clients
        .order_administration()
        .set_office_profile(request)
        .await?;
    Ok(Json(filled(answer.into_inner().profile)?.show()))
}

/// An office's profile, for its staff.
#[utoipa::path(get, path = "/v1/offices/{office_id}/civil-status-profile", tag = "administration", responses((status = 200, body = OfficeProfile)))]
async fn get_office_profile(
    State(app): State<App>,
    _: User,
    Path(office_id): Path<String>,
) -> Answer<Json<OfficeProfile>> {
    let request = pb::GetOfficeProfileRequest { office_id };
    let answer = app
        .clients
        .order_administration()
        .get_office_profile(request)
        .await?;
    Ok(Json(filled(answer.into_inner().profile)?.show()))
}

/// Differences between the books and the providers, as the latest run found them, oldest first.
#[utoipa::path(get, path = "/v1/payment-differences", tag = "administration", params(PageQuery), responses((status = 200, body = ListingBody<PaymentDifference>)))]
async fn list_payment_differences(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Answer<Listing<PaymentDifference>> {
    let request = payment::ListDifferencesRequest {
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = app
        .clients
        .reconciliation()
        .list_differences(request)
        .await?
        .into_inner();
    Ok(Listing::new(
        uri,
        answer.differences.show(),
        answer.next_page_token,
    ))
}

/// Tries the refunds of an attempt anew that the provider had refused for good.
#[utoipa::path(post, path = "/v1/payment-differences/{attempt_id}/refund-retries", tag = "administration", responses((status = 200, body = RetriedRefunds)))]
async fn retry_refunds(
    State(app): State<App>,
    _: User,
    Path(attempt_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
) -> Answer<Json<RetriedRefunds>> {
    let request = payment::RetryRefundsRequest {
        request_id,
        attempt_id,
    };
    let answer = app.clients.reconciliation().retry_refunds(request).await?;
    Ok(Json(answer.into_inner().show()))
}
