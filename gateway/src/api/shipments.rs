//! The office and the post: labels, deposit lists, shipments, scans by hand, claims; and the number ranges of the
//! platform.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::api::tracking::{ShipmentState, TrackingId};
use crate::api::transfer::download::Disposition;
use crate::api::transfer::whole::whole;
use crate::api::wire::{CivilDate, Show, Tell, body, timestamp, view, words};
use crate::api::{Answer, Created, Listing, ListingBody, PageQuery, filled, words_of};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

words! {
    /// Products of the carrier.
    ShippingProduct from pb::ShippingProduct { RegisteredDomestic, RegisteredInternational }
    /// Kinds of identity document shown at delivery.
    RecipientDocumentKind from pb::RecipientDocumentKind { Cin, Passport, ResidenceCard }
}

view! {
    /// A name in both scripts.
    PartyName from pb::PartyName {
        latin: Option<String>,
        arabic: Option<String>,
    }
    /// An address in both scripts.
    PostalAddress from pb::PostalAddress {
        country_code: String,
        postal_code: Option<String>,
        locality_latin: Option<String>,
        street_latin: Option<String>,
        quarter_latin: Option<String>,
        extra_latin: Option<String>,
        locality_arabic: Option<String>,
        street_arabic: Option<String>,
        quarter_arabic: Option<String>,
        extra_arabic: Option<String>,
    }
    /// An addressee.
    Party from pb::Party {
        name: Option<PartyName>,
        address: Option<PostalAddress>,
        phone: Option<String>,
    }
    /// What the carrier recorded at delivery.
    ProofOfDelivery from pb::ProofOfDelivery {
        recipient_name: String,
        document_kind: Option<RecipientDocumentKind>,
        document_last_four: Option<String>,
        deliver_time: Option<DateTime<Utc>>,
        /// `ADDRESSEE`, `MANDATARY` or `OTHER`.
        recipient_relation: String,
    }
    /// One step, as told by the carrier.
    TrackingEvent from pb::TrackingEvent {
        event_id: String,
        code: String,
        /// False where the code is unknown: kept, moves nothing.
        known: bool,
        event_time: Option<DateTime<Utc>>,
        receive_time: Option<DateTime<Utc>>,
        place: Option<String>,
        reason_code: Option<String>,
        action_code: Option<String>,
        /// `webhook`, `csv` or `scan`.
        source: String,
    }
    /// A parcel on its way.
    Shipment from pb::Shipment {
        shipment_id: String,
        owner: String,
        owner_reference: String,
        office_id: String,
        product: ShippingProduct,
        tracking_id: Option<TrackingId>,
        state: ShipmentState,
        addressee: Option<Party>,
        mandataries: Vec<PartyName>,
        create_time: Option<DateTime<Utc>>,
        update_time: Option<DateTime<Utc>>,
        deposit_list_id: Option<String>,
        attempts: i32,
        held_until: Option<CivilDate>,
        proof: Option<ProofOfDelivery>,
        exception_code: Option<String>,
        events: Vec<TrackingEvent>,
    }
    /// What an office gave to the post in one go.
    DepositList from pb::DepositList {
        deposit_list_id: String,
        office_id: String,
        number: String,
        create_time: Option<DateTime<Utc>>,
        shipment_ids: Vec<String>,
        /// The carrier took the announcement.
        announced: bool,
        /// What the announcement waits for; null where nothing hinders it.
        hindrance: Option<String>,
    }
    /// A range of numbers allocated by the post (UPU S10).
    NumberRange from pb::NumberRange {
        range_id: String,
        service_indicator: String,
        country_code: String,
        first: u32,
        last: u32,
        /// The next to be given; `last` + 1 when spent.
        next: u32,
        product: ShippingProduct,
        create_time: Option<DateTime<Utc>>,
        /// Little is left in all ranges of the product.
        runs_low: bool,
    }
}

body! {
    /// Whose labels: 1 to 200 shipments of one office.
    LabelsToPrint {
        office_id: String,
        shipment_ids: Vec<String>,
    }
    /// What the carrier said on paper.
    NewScan {
        /// As scanned.
        tracking_id: String,
        event: NewCarrierEvent,
    }
    /// What a carrier says of an item at a time.
    NewCarrierEvent {
        /// Such as `EMI`, or the carrier's own.
        code: String,
        event_time: DateTime<Utc>,
        #[serde(default)]
        place: Option<String>,
        #[serde(default)]
        reason_code: Option<String>,
        #[serde(default)]
        action_code: Option<String>,
        #[serde(default)]
        held_until: Option<String>,
        /// For a delivery.
        #[serde(default)]
        recipient_name: Option<String>,
        #[serde(default)]
        document_kind: Option<RecipientDocumentKind>,
        #[serde(default)]
        document_last_four: Option<String>,
    }
    /// Why a claim is opened.
    NewClaim {
        note: String,
    }
    /// What the carrier answered.
    ClaimAnswer {
        /// True: the carrier admits the loss. False: found again.
        lost: bool,
        #[serde(default)]
        note: String,
    }
    /// A range that the post has allocated.
    NewNumberRange {
        /// `RA` to `RZ` for registered letters.
        service_indicator: String,
        country_code: String,
        first: u32,
        last: u32,
        product: ShippingProduct,
    }
}

/// Forms of a deposit list.
#[derive(Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DepositListForm {
    #[default]
    Pdf,
    Csv,
}

/// In which form.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FormQuery {
    /// `pdf` where absent.
    #[serde(default)]
    #[param(inline)]
    form: DepositListForm,
}

/// Of which office.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DepositListsQuery {
    #[serde(default)]
    office_id: String,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

/// Of which office, and which shipments.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ShipmentsQuery {
    #[serde(default)]
    office_id: String,
    /// States, separated by commas; all where absent.
    #[serde(default)]
    states: String,
    #[serde(default)]
    exceptions_only: bool,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(print_labels))
        .routes(routes!(list_deposit_lists))
        .routes(routes!(download_deposit_list))
        .routes(routes!(list_office_shipments))
        .routes(routes!(record_scan))
        .routes(routes!(open_claim))
        .routes(routes!(settle_claim))
        .routes(routes!(allocate_range, list_ranges))
}

/// Labels as a file.
///
/// # Errors
/// The service's refusal.
pub(crate) async fn labels(app: &App, office_id: String, shipment_ids: Vec<String>) -> Answer<Response> {
    let mut office = app.clients.shipping_office();
    let request = pb::DownloadLabelsRequest {
        office_id,
        shipment_ids,
    };
    whole!(office.download_labels(request), Disposition::Inline)
}

/// Labels to print.
#[utoipa::path(post, path = "/v1/office/shipment-labels", tag = "post", request_body = LabelsToPrint, responses((status = 200, content_type = "application/pdf")))]
async fn print_labels(State(app): State<App>, _: User, Body(body): Body<LabelsToPrint>) -> Answer<Response> {
    labels(&app, body.office_id, body.shipment_ids).await
}

/// Deposit lists of an office, newest first.
#[utoipa::path(get, path = "/v1/office/deposit-lists", tag = "post", params(DepositListsQuery), responses((status = 200, body = ListingBody<DepositList>)))]
async fn list_deposit_lists(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<DepositListsQuery>,
) -> Answer<Listing<DepositList>> {
    let request = pb::ListDepositListsRequest {
        office_id: query.office_id,
        page_size: query.page_size,
        page_token: query.page_token,
    };
    let answer = app
        .clients
        .shipping_office()
        .list_deposit_lists(request)
        .await?
        .into_inner();
    Ok(Listing::new(
        uri,
        answer.deposit_lists.show(),
        answer.next_page_token,
    ))
}

/// A deposit list as a file: to sign, or as a table.
///
/// # Errors
/// The service's refusal.
pub(crate) async fn deposit_list(app: &App, deposit_list_id: String, as_table: bool) -> Answer<Response> {
    let (form, kind) = if as_table {
        (pb::DepositListForm::Csv, "text/csv; charset=utf-8")
    } else {
        (pb::DepositListForm::Pdf, "application/pdf")
    };
    let mut office = app.clients.shipping_office();
    let request = pb::DownloadDepositListRequest {
        deposit_list_id,
        form: form as i32,
    };
    whole!(
        office.download_deposit_list(request),
        Disposition::Inline,
        |message| (kind.to_owned(), message.file_name)
    )
}

/// A deposit list, to sign or as a table.
#[utoipa::path(get, path = "/v1/office/deposit-lists/{deposit_list_id}/file", tag = "post", params(FormQuery), responses((status = 200, content((String = "application/pdf"), (String = "text/csv")))))]
async fn download_deposit_list(
    State(app): State<App>,
    _: User,
    Path(deposit_list_id): Path<String>,
    Query(query): Query<FormQuery>,
) -> Answer<Response> {
    deposit_list(&app, deposit_list_id, query.form == DepositListForm::Csv).await
}

/// Shipments of an office, oldest first.
#[utoipa::path(get, path = "/v1/office/shipments", tag = "post", params(ShipmentsQuery), responses((status = 200, body = ListingBody<Shipment>)))]
async fn list_office_shipments(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ShipmentsQuery>,
) -> Answer<Listing<Shipment>> {
    let states: Vec<ShipmentState> = words_of("states", &query.states)?;
    let request = pb::ListOfficeShipmentsRequest {
        office_id: query.office_id,
        page_size: query.page_size,
        page_token: query.page_token,
        states: states.tell(),
        exceptions_only: query.exceptions_only,
    };
    let answer = app
        .clients
        .shipping_office()
        .list_office_shipments(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.shipments.show(), answer.next_page_token))
}

/// Records by hand what the carrier said on paper.
#[utoipa::path(post, path = "/v1/office/shipment-scans", tag = "post", request_body = NewScan, responses((status = 200, body = Shipment)))]
async fn record_scan(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewScan>,
) -> Answer<Json<Shipment>> {
    let event = body.event;
    let request = pb::RecordScanRequest {
        request_id,
        tracking_id: body.tracking_id,
        event: Some(pb::CarrierEvent {
            code: event.code,
            event_time: Some(timestamp(event.event_time)),
            place: event.place.tell(),
            reason_code: event.reason_code.tell(),
            action_code: event.action_code.tell(),
            held_until: event.held_until.tell(),
            recipient_name: event.recipient_name.tell(),
            document_kind: event.document_kind.tell(),
            document_last_four: event.document_last_four.tell(),
        }),
    };
    let answer = app.clients.shipping_office().record_scan(request).await?;
    Ok(Json(filled(answer.into_inner().shipment)?.show()))
}

/// Opens a claim at the carrier.
#[utoipa::path(post, path = "/v1/office/shipments/{shipment_id}/claim", tag = "post", request_body = NewClaim, responses((status = 200, body = Shipment)))]
async fn open_claim(
    State(app): State<App>,
    _: User,
    Path(shipment_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewClaim>,
) -> Answer<Json<Shipment>> {
    let request = pb::OpenClaimRequest {
        request_id,
        shipment_id,
        note: body.note,
    };
    let answer = app.clients.shipping_office().open_claim(request).await?;
    Ok(Json(filled(answer.into_inner().shipment)?.show()))
}

/// Records what the carrier answered to a claim.
#[utoipa::path(post, path = "/v1/office/shipments/{shipment_id}/claim/settlement", tag = "post", request_body = ClaimAnswer, responses((status = 200, body = Shipment)))]
async fn settle_claim(
    State(app): State<App>,
    _: User,
    Path(shipment_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<ClaimAnswer>,
) -> Answer<Json<Shipment>> {
    let request = pb::SettleClaimRequest {
        request_id,
        shipment_id,
        lost: body.lost,
        note: body.note,
    };
    let answer = app.clients.shipping_office().settle_claim(request).await?;
    Ok(Json(filled(answer.into_inner().shipment)?.show()))
}

/// Adds a range of numbers.
#[utoipa::path(post, path = "/v1/number-ranges", tag = "post", request_body = NewNumberRange, responses((status = 201, body = NumberRange)))]
async fn allocate_range(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewNumberRange>,
) -> Answer<Created<NumberRange>> {
    let request = pb::AllocateRangeRequest {
        request_id,
        service_indicator: body.service_indicator,
        country_code: body.country_code,
        first: body.first,
        last: body.last,
        product: body.product.tell(),
    };
    let answer = app.clients.number_ranges().allocate_range(request).await?;
    Ok(Created(filled(answer.into_inner().range)?.show()))
}

/// All ranges with what is left, oldest first.
#[utoipa::path(get, path = "/v1/number-ranges", tag = "post", params(PageQuery), responses((status = 200, body = ListingBody<NumberRange>)))]
async fn list_ranges(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Answer<Listing<NumberRange>> {
    let request = pb::ListRangesRequest {
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = app
        .clients
        .number_ranges()
        .list_ranges(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.ranges.show(), answer.next_page_token))
}
