//! The office's side of orders: queue, the work on a line, refusal.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::api::civil_status::LineState;
use crate::api::transfer::download::Disposition;
use crate::api::transfer::whole::whole;
use crate::api::wire::{Show, Tell, body};
use crate::api::{Answer, Listing, ListingBody, filled, words_of};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

pub(crate) mod production;
mod resource;

pub(crate) use resource::*;

body! {
    /// A note of what was checked; needed for a mandataire who attached nothing.
    EntitlementCheck {
        #[serde(default)]
        note: String,
    }
    /// Who works on lines: 1 to 200.
    Assignment {
        line_ids: Vec<String>,
        /// A member of the office; null for nobody.
        #[serde(default)]
        person_id: Option<String>,
    }
    /// Which digitised act a line means.
    ActChoice {
        act_id: String,
        /// It is the act ordered although it differs from what was asked for.
        #[serde(default)]
        confirms_differences: bool,
        /// Why, where it differs; at most 500 characters.
        #[serde(default)]
        note: String,
    }
    /// A reason of the catalogue, and a text for the citizen.
    OfficeReason {
        reason_code: String,
        #[serde(default)]
        text: String,
    }
}

/// Which lines stand in the queue.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LinesQuery {
    /// All offices of the caller where absent.
    #[serde(default)]
    office_id: String,
    /// States, separated by commas; `paid` and `in_production` where absent.
    #[serde(default)]
    states: String,
    #[serde(default)]
    document_kind: String,
    /// `PAPER` or `DIGITISED`; both where absent.
    #[serde(default)]
    path: String,
    #[serde(default)]
    assigned_to_person_id: String,
    #[serde(default)]
    unassigned_only: bool,
    #[serde(default)]
    late_only: bool,
    /// An order's or a line's reference, as typed or scanned.
    #[serde(default)]
    reference: String,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_office_lines))
        .routes(routes!(get_office_line))
        .routes(routes!(download_evidence))
        .routes(routes!(check_entitlement))
        .routes(routes!(assign_lines))
        .routes(routes!(link_act))
        .routes(routes!(request_correction))
        .routes(routes!(refuse_line))
        .routes(routes!(release_line))
        .merge(production::routes())
}

/// Lines of the caller's offices, by deadline.
#[utoipa::path(get, path = "/v1/office/order-lines", tag = "civil-status-office", params(LinesQuery), responses((status = 200, body = ListingBody<OfficeLine>)))]
async fn list_office_lines(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<LinesQuery>,
) -> Answer<Listing<OfficeLine>> {
    let states: Vec<LineState> = words_of("states", &query.states)?;
    let request = pb::ListQueueRequest {
        page_size: query.page_size,
        page_token: query.page_token,
        office_id: query.office_id,
        states: states.tell(),
        document_kind: query.document_kind,
        path: query.path,
        assigned_to_person_id: query.assigned_to_person_id,
        unassigned_only: query.unassigned_only,
        late_only: query.late_only,
        reference: query.reference,
    };
    let answer = app.clients.order_office().list_queue(request).await?.into_inner();
    Ok(Listing::new(uri, answer.entries.show(), answer.next_page_token))
}

/// How an address names a line: by id, or by the reference that the barcode says.
pub(crate) fn line_key(line: String) -> pb::get_line_request::Key {
    match Uuid::parse_str(&line) {
        Ok(id) => pb::get_line_request::Key::LineId(id.to_string()),
        Err(_) => pb::get_line_request::Key::LineReference(line),
    }
}

/// One line, by its id or its reference.
#[utoipa::path(get, path = "/v1/office/order-lines/{line_id}", tag = "civil-status-office", responses((status = 200, body = OfficeLineDetail)))]
async fn get_office_line(
    State(app): State<App>,
    _: User,
    Path(line): Path<String>,
) -> Answer<Json<OfficeLineDetail>> {
    let key = Some(line_key(line));
    let answer = app
        .clients
        .order_office()
        .get_line(pb::GetLineRequest { key })
        .await?;
    Ok(Json(answer.into_inner().show()))
}

/// A piece of evidence as a file.
///
/// # Errors
/// The service's refusal.
pub(crate) async fn evidence(app: &App, line_id: String, evidence_id: String) -> Answer<Response> {
    let mut office = app.clients.order_office();
    let request = pb::DownloadEvidenceRequest { line_id, evidence_id };
    whole!(
        office.download_evidence(request),
        Disposition::Attachment,
        |message| (message.content_type, message.file_name)
    )
}

/// A piece of evidence.
#[utoipa::path(get, path = "/v1/office/order-lines/{line_id}/evidence/{evidence_id}", tag = "civil-status-office", responses((status = 200, content((String = "application/pdf"), (String = "image/jpeg"), (String = "image/png"), (String = "application/octet-stream")))))]
async fn download_evidence(
    State(app): State<App>,
    _: User,
    Path((line_id, evidence_id)): Path<(String, String)>,
) -> Answer<Response> {
    evidence(&app, line_id, evidence_id).await
}

/// Records that the evidence was checked and shows the relation.
#[utoipa::path(post, path = "/v1/office/order-lines/{line_id}/entitlement", tag = "civil-status-office", request_body = EntitlementCheck, responses((status = 200, body = OfficeLine)))]
async fn check_entitlement(
    State(app): State<App>,
    _: User,
    Path(line_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<EntitlementCheck>,
) -> Answer<Json<OfficeLine>> {
    let request = pb::CheckEntitlementRequest {
        request_id,
        line_id,
        note: body.note,
    };
    let answer = app.clients.order_office().check_entitlement(request).await?;
    Ok(Json(filled(answer.into_inner().entry)?.show()))
}

/// Gives lines to a member of the office, or to nobody.
#[utoipa::path(post, path = "/v1/office/order-line-assignments", tag = "civil-status-office", request_body = Assignment, responses((status = 200, body = AssignedLines)))]
async fn assign_lines(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<Assignment>,
) -> Answer<Json<AssignedLines>> {
    let request = pb::AssignLinesRequest {
        request_id,
        line_ids: body.line_ids,
        person_id: body.person_id.tell(),
    };
    let answer = app.clients.order_office().assign_lines(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// Gives a line that stands on a batch sheet back to the queue: it was taken by mistake, or its register lies elsewhere now.
#[utoipa::path(post, path = "/v1/office/order-lines/{line_id}/release", tag = "civil-status-office", responses((status = 200, body = OfficeLine)))]
async fn release_line(
    State(app): State<App>,
    _: User,
    Path(line_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
) -> Answer<Json<OfficeLine>> {
    let request = pb::ReleaseLineRequest { request_id, line_id };
    let answer = app.clients.order_office().release_line(request).await?;
    Ok(Json(filled(answer.into_inner().entry)?.show()))
}

/// Names the digitised act of a line.
#[utoipa::path(put, path = "/v1/office/order-lines/{line_id}/act", tag = "civil-status-office", request_body = ActChoice, responses((status = 200, body = OfficeLine)))]
async fn link_act(
    State(app): State<App>,
    _: User,
    Path(line_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<ActChoice>,
) -> Answer<Json<OfficeLine>> {
    let request = pb::LinkActRequest {
        request_id,
        line_id,
        act_id: body.act_id,
        confirms_differences: body.confirms_differences,
        note: body.note,
    };
    let answer = app.clients.order_office().link_act(request).await?;
    Ok(Json(filled(answer.into_inner().entry)?.show()))
}

/// Asks the citizen to correct what could not be found or differs.
#[utoipa::path(post, path = "/v1/office/order-lines/{line_id}/correction-request", tag = "civil-status-office", request_body = OfficeReason, responses((status = 200, body = OfficeLine)))]
async fn request_correction(
    State(app): State<App>,
    _: User,
    Path(line_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<OfficeReason>,
) -> Answer<Json<OfficeLine>> {
    let request = pb::RequestCorrectionRequest {
        request_id,
        line_id,
        reason_code: body.reason_code,
        text: body.text,
    };
    let answer = app.clients.order_office().request_correction(request).await?;
    Ok(Json(filled(answer.into_inner().entry)?.show()))
}

/// Refuses a line with a catalogued reason; the money goes back.
#[utoipa::path(post, path = "/v1/office/order-lines/{line_id}/refusal", tag = "civil-status-office", request_body = OfficeReason, responses((status = 200, body = OfficeLine)))]
async fn refuse_line(
    State(app): State<App>,
    _: User,
    Path(line_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<OfficeReason>,
) -> Answer<Json<OfficeLine>> {
    let request = pb::RefuseLineRequest {
        request_id,
        line_id,
        reason_code: body.reason_code,
        text: body.text,
    };
    let answer = app.clients.order_office().refuse_line(request).await?;
    Ok(Json(filled(answer.into_inner().entry)?.show()))
}
