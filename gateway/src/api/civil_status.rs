//! Civil-status documents for citizens: what can be ordered, what it costs, and their orders.

use axum::Json;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::api::transfer::download::Disposition;
use crate::api::transfer::upload::{Piece, Upload, place};
use crate::api::transfer::whole::whole;
use crate::api::wire::{CivilDate, Show, Tell, body};
use crate::api::{Answer, Created, IfMatch, Listing, ListingBody, PageQuery, Tagged, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::problem::Problem;
use crate::session::User;

pub(crate) mod payment;
mod resource;
pub(crate) mod text;

pub(crate) use resource::*;

/// Largest piece of evidence, in bytes.
const LARGEST_EVIDENCE: u64 = 8 * 1024 * 1024;
/// Types of evidence.
const EVIDENCE: [&str; 3] = ["application/pdf", "image/jpeg", "image/png"];

body! {
    /// An order to be priced.
    QuoteRequest {
        lines: Vec<LineRequest>,
        /// Where it would be sent, ISO 3166-1 alpha-2.
        country_code: String,
    }
    /// An order.
    NewOrder {
        /// 1 to 20.
        lines: Vec<LineRequest>,
        /// As on the identity document that the post will be shown.
        addressee: FullName,
        address: DeliveryAddress,
        /// The applicant's own name; null where an account has it.
        #[serde(default)]
        applicant: Option<FullName>,
        #[serde(default)]
        applicant_birth_date: Option<CivilDate>,
        #[serde(default)]
        applicant_identity_document: Option<String>,
        /// Who else may receive the parcel, at most 3.
        #[serde(default)]
        mandataries: Vec<FullName>,
        /// The total that was quoted.
        expected_total_centimes: i64,
    }
    /// Which lines are cancelled.
    LineSelection {
        /// Where empty: those that can still be cancelled.
        #[serde(default)]
        line_ids: Vec<String>,
    }
    /// What the citizen knows better now.
    Correction {
        act: ActClue,
        #[serde(default)]
        evidence_ids: Vec<String>,
    }
}

/// What a file shows, and how it is called.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EvidenceQuery {
    /// `power-of-attorney`, `guardianship`, `family-booklet`, `identity-document` or `other`.
    kind: String,
    /// Name to show back; else that of `Content-Disposition` or of the form.
    #[serde(default)]
    file_name: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(
            OpenApiRouter::new()
                .routes(routes!(upload_evidence))
                .layer(DefaultBodyLimit::disable()),
        )
        .routes(routes!(get_order_catalogue))
        .routes(routes!(list_order_offices))
        .routes(routes!(quote_order))
        .routes(routes!(place_order, list_orders))
        .routes(routes!(get_order))
        .routes(routes!(cancel_lines))
        .routes(routes!(correct_line))
        .routes(routes!(correct_address))
        .routes(routes!(download_order_document))
}

fn tagged(status: StatusCode, order: Option<pb::Order>) -> Answer<Tagged<Order>> {
    let order = filled(order)?;
    Ok(Tagged {
        status,
        etag: order.etag.clone(),
        resource: order.show(),
    })
}

/// The documents that can be ordered, with their fees.
#[utoipa::path(get, path = "/v1/civil-status/catalogue", tag = "civil-status", responses((status = 200, body = OrderCatalogue)))]
async fn get_order_catalogue(State(app): State<App>) -> Answer<Json<OrderCatalogue>> {
    let answer = app
        .clients
        .orders()
        .get_catalogue(pb::GetCatalogueRequest {})
        .await?;
    Ok(Json(answer.into_inner().show()))
}

/// Which offices are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OrderOfficesQuery {
    /// Only offices below this one.
    #[serde(default)]
    parent_office_id: String,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

/// The offices of registration whose registers can be ordered from today, also where they were closed or merged and another office holds them.
#[utoipa::path(get, path = "/v1/civil-status/offices", tag = "civil-status", params(OrderOfficesQuery), responses((status = 200, body = ListingBody<OrderOffice>)))]
async fn list_order_offices(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<OrderOfficesQuery>,
) -> Answer<Listing<OrderOffice>> {
    let request = pb::ListOrderOfficesRequest {
        page_size: query.page_size,
        page_token: query.page_token,
        parent_office_id: query.parent_office_id,
    };
    let answer = app
        .clients
        .orders()
        .list_order_offices(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.offices.show(), answer.next_page_token))
}

/// What an order would cost, and what is wrong with it. Nothing is kept.
#[utoipa::path(post, path = "/v1/civil-status/quotes", tag = "civil-status", request_body = QuoteRequest, responses((status = 200, body = Quote)))]
async fn quote_order(State(app): State<App>, Body(body): Body<QuoteRequest>) -> Answer<Json<Quote>> {
    let request = pb::QuoteOrderRequest {
        lines: body.lines.tell(),
        country_code: body.country_code,
    };
    let answer = app.clients.orders().quote_order(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// Keeps a file that shows a relation, of at most 8 MiB, for an order to name.
#[utoipa::path(post, path = "/v1/civil-status/evidence", tag = "civil-status", params(EvidenceQuery), request_body(content((String = "application/pdf"), (String = "image/jpeg"), (String = "image/png"), (String = "multipart/form-data")), description = "The file itself, or a form with one file."), responses((status = 201, body = Evidence)))]
async fn upload_evidence(
    State(app): State<App>,
    user: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Query(query): Query<EvidenceQuery>,
    request: Request,
) -> Answer<Created<Evidence>> {
    let header = pb::EvidenceHeader {
        request_id,
        file_name: query.file_name.unwrap_or_default(),
        kind: query.kind,
    };
    let kept = keep_evidence(&app, &user, header, request).await?;
    Ok(Created(kept.show()))
}

/// Sends a piece of evidence on as it arrives; its name is the header's, else the file's own.
///
/// # Errors
/// What is wrong with the body, or the service's refusal.
pub(crate) async fn keep_evidence(
    app: &App,
    user: &User,
    header: pb::EvidenceHeader,
    request: Request,
) -> Result<pb::UploadEvidenceResponse, Problem> {
    let place = place(&app.uploads, user.person_id.clone(), &request)?;
    let upload = Upload::open_one_of(request, LARGEST_EVIDENCE, &EVIDENCE).await?;
    let message = move |piece| {
        let part = match piece {
            Piece::Start { file_name, .. } => {
                let mut header = header.clone();
                if header.file_name.is_empty() {
                    header.file_name = file_name;
                }
                pb::upload_evidence_request::Part::Header(header)
            }
            Piece::Chunk(bytes) => pb::upload_evidence_request::Part::Chunk(bytes),
        };
        Some(pb::UploadEvidenceRequest { part: Some(part) })
    };
    let mut client = app.clients.orders();
    upload
        .send(place, LARGEST_EVIDENCE, message, |stream| async move {
            client.upload_evidence(stream).await
        })
        .await
}

/// Places an order; payment follows.
#[utoipa::path(post, path = "/v1/civil-status/orders", tag = "civil-status", request_body = NewOrder, responses((status = 201, body = Order)))]
async fn place_order(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewOrder>,
) -> Answer<Tagged<Order>> {
    let request = pb::PlaceOrderRequest {
        request_id,
        lines: body.lines.tell(),
        addressee: Some(body.addressee.tell()),
        address: Some(body.address.tell()),
        applicant: body.applicant.tell(),
        applicant_birth_date: body.applicant_birth_date.tell(),
        applicant_identity_document: body.applicant_identity_document.tell(),
        mandataries: body.mandataries.tell(),
        expected_total_centimes: body.expected_total_centimes,
    };
    let answer = app.clients.orders().place_order(request).await?;
    tagged(StatusCode::CREATED, answer.into_inner().order)
}

/// The person's orders, newest first.
#[utoipa::path(get, path = "/v1/civil-status/orders", tag = "civil-status", params(PageQuery), responses((status = 200, body = ListingBody<Order>)))]
async fn list_orders(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Answer<Listing<Order>> {
    let request = pb::ListOrdersRequest {
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = app.clients.orders().list_orders(request).await?.into_inner();
    Ok(Listing::new(uri, answer.orders.show(), answer.next_page_token))
}

/// How an address names an order: by id, or by the reference as it was dictated.
pub(crate) fn order_key(order: String) -> pb::get_order_request::Key {
    match Uuid::parse_str(&order) {
        Ok(id) => pb::get_order_request::Key::OrderId(id.to_string()),
        Err(_) => pb::get_order_request::Key::Reference(order),
    }
}

/// One order, by its id or its reference.
#[utoipa::path(get, path = "/v1/civil-status/orders/{order_id}", tag = "civil-status", responses((status = 200, body = Order)))]
async fn get_order(State(app): State<App>, _: User, Path(order): Path<String>) -> Answer<Tagged<Order>> {
    let key = Some(order_key(order));
    let answer = app
        .clients
        .orders()
        .get_order(pb::GetOrderRequest { key })
        .await?;
    let order = filled(answer.into_inner().order)?;
    let payable = payment::payable_of(&app, &order).await;
    let word = payable.and_then(|payable| payment::word(order.state(), payable.state()));
    let mut shown = tagged(StatusCode::OK, Some(order))?;
    if let Some(word) = word {
        shown.resource.hear(&word);
    }
    Ok(shown)
}

/// Cancels lines that are not in production; what is paid is given back.
#[utoipa::path(post, path = "/v1/civil-status/orders/{order_id}/cancellation", tag = "civil-status", request_body = LineSelection, responses((status = 200, body = Order)))]
async fn cancel_lines(
    State(app): State<App>,
    _: User,
    Path(order_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    IfMatch(etag): IfMatch,
    Body(body): Body<LineSelection>,
) -> Answer<Tagged<Order>> {
    let request = pb::CancelLinesRequest {
        request_id,
        order_id,
        line_ids: body.line_ids,
        etag,
    };
    let answer = app.clients.orders().cancel_lines(request).await?;
    tagged(StatusCode::OK, answer.into_inner().order)
}

/// Corrects what the office could not find.
#[utoipa::path(put, path = "/v1/civil-status/orders/{order_id}/lines/{line_id}/correction", tag = "civil-status", request_body = Correction, responses((status = 200, body = Order)))]
async fn correct_line(
    State(app): State<App>,
    _: User,
    Path((order_id, line_id)): Path<(String, String)>,
    IdempotencyKey(request_id): IdempotencyKey,
    IfMatch(etag): IfMatch,
    Body(body): Body<Correction>,
) -> Answer<Tagged<Order>> {
    let request = pb::CorrectLineRequest {
        request_id,
        order_id,
        line_id,
        act: Some(body.act.tell()),
        evidence_ids: body.evidence_ids,
        etag,
    };
    let answer = app.clients.orders().correct_line(request).await?;
    tagged(StatusCode::OK, answer.into_inner().order)
}

/// Corrects the address that the post does not take; the parcels that wait are sent there.
#[utoipa::path(put, path = "/v1/civil-status/orders/{order_id}/address", tag = "civil-status", request_body = DeliveryAddress, responses((status = 200, body = Order)))]
async fn correct_address(
    State(app): State<App>,
    _: User,
    Path(order_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    IfMatch(etag): IfMatch,
    Body(body): Body<DeliveryAddress>,
) -> Answer<Tagged<Order>> {
    let request = pb::CorrectAddressRequest {
        request_id,
        order_id,
        address: Some(body.tell()),
        etag,
    };
    let answer = app.clients.orders().correct_address(request).await?;
    tagged(StatusCode::OK, answer.into_inner().order)
}

/// The sealed document of a line.
#[utoipa::path(get, path = "/v1/civil-status/orders/{order_id}/lines/{line_id}/document", tag = "civil-status", responses((status = 200, content_type = "application/pdf")))]
async fn download_order_document(
    State(app): State<App>,
    _: User,
    Path((order_id, line_id)): Path<(String, String)>,
) -> Answer<Response> {
    let request = pb::DownloadDocumentRequest { order_id, line_id };
    let mut orders = app.clients.orders();
    whole!(orders.download_document(request), Disposition::Attachment)
}
