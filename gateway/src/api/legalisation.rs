//! A citizen's legalisation requests.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api::transfer::download::{self, Asked, Disposition, File};
use crate::api::wire::{Show, Word, body};
use crate::api::{Answer, IfMatch, Listing, ListingBody, Tagged, filled, words_of};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::problem::Problem;
use crate::session::User;

mod resource;

pub(super) use resource::*;

body! {
    /// A new request.
    NewRequest {
        document_id: String,
        office_id: String,
        /// Code of the catalogue, such as `contract`.
        document_kind: String,
        capacity: SigningCapacity,
        destination: Destination,
        /// Who receives the power, where the kind needs it.
        #[serde(default)]
        mandatary: Option<Mandatary>,
    }
    /// Which confirmation confirms the request.
    ConfirmationUse {
        confirmation_id: String,
    }
    /// A corrected document, or null for the same one.
    Resubmission {
        #[serde(default)]
        document_id: Option<String>,
    }
}

/// Whose fees are shown.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CatalogueQuery {
    /// Office whose fees are shown; left out, fees are 0.
    #[serde(default)]
    office_id: String,
}

/// Which requests are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RequestsQuery {
    /// States, separated by commas; all where absent.
    #[serde(default)]
    states: String,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_catalogue))
        .routes(routes!(create_legalisation_request, list_legalisation_requests))
        .routes(routes!(get_legalisation_request))
        .routes(routes!(place_signature))
        .routes(routes!(get_confirmation_subject))
        .routes(routes!(confirm_legalisation_request))
        .routes(routes!(cancel_legalisation_request))
        .routes(routes!(resubmit_legalisation_request))
        .routes(routes!(download_sealed_file))
        .routes(routes!(get_commitments))
}

pub(super) fn tagged(
    status: StatusCode,
    request: Option<pb::LegalisationRequest>,
) -> Answer<Tagged<LegalisationRequest>> {
    let request = filled(request)?;
    Ok(Tagged {
        status,
        etag: request.etag.clone(),
        resource: request.show(),
    })
}

/// Kinds of document, refusal reasons, and the fees of an office.
#[utoipa::path(get, path = "/v1/catalogue", tag = "legalisation", params(CatalogueQuery), responses((status = 200, body = Catalogue)))]
async fn get_catalogue(
    State(app): State<App>,
    Query(query): Query<CatalogueQuery>,
) -> Answer<Json<Catalogue>> {
    let request = pb::GetCatalogueRequest {
        office_id: query.office_id,
    };
    let answer = app.clients.legalisations().get_catalogue(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// Opens a request for a document.
#[utoipa::path(post, path = "/v1/legalisation-requests", tag = "legalisation", request_body = NewRequest, responses((status = 201, body = LegalisationRequest)))]
async fn create_legalisation_request(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewRequest>,
) -> Answer<Tagged<LegalisationRequest>> {
    let request = pb::CreateLegalisationRequestRequest {
        request_id,
        document_id: body.document_id,
        office_id: body.office_id,
        document_kind: body.document_kind,
        capacity: body.capacity.number(),
        destination: Some(body.destination.message()),
        mandatary: body.mandatary.map(Mandatary::message),
    };
    let answer = app
        .clients
        .legalisations()
        .create_legalisation_request(request)
        .await?;
    tagged(StatusCode::CREATED, answer.into_inner().legalisation_request)
}

/// The person's requests, newest first.
#[utoipa::path(get, path = "/v1/legalisation-requests", tag = "legalisation", params(RequestsQuery), responses((status = 200, body = ListingBody<LegalisationRequest>)))]
async fn list_legalisation_requests(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<RequestsQuery>,
) -> Answer<Listing<LegalisationRequest>> {
    let states: Vec<LegalisationState> = words_of("states", &query.states)?;
    let request = pb::ListLegalisationRequestsRequest {
        page_size: query.page_size,
        page_token: query.page_token,
        states: states.into_iter().map(LegalisationState::number).collect(),
    };
    let answer = app
        .clients
        .legalisations()
        .list_legalisation_requests(request)
        .await?
        .into_inner();
    Ok(Listing::new(
        uri,
        answer.legalisation_requests.show(),
        answer.next_page_token,
    ))
}

/// One request of the person.
#[utoipa::path(get, path = "/v1/legalisation-requests/{legalisation_request_id}", tag = "legalisation", responses((status = 200, body = LegalisationRequest)))]
async fn get_legalisation_request(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
) -> Answer<Tagged<LegalisationRequest>> {
    let request = pb::GetLegalisationRequestRequest {
        legalisation_request_id,
    };
    let answer = app
        .clients
        .legalisations()
        .get_legalisation_request(request)
        .await?;
    tagged(StatusCode::OK, answer.into_inner().legalisation_request)
}

/// Places or moves the signature.
#[utoipa::path(put, path = "/v1/legalisation-requests/{legalisation_request_id}/placement", tag = "legalisation", request_body = Placement, responses((status = 200, body = LegalisationRequest)))]
async fn place_signature(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    IfMatch(etag): IfMatch,
    Body(body): Body<Placement>,
) -> Answer<Tagged<LegalisationRequest>> {
    let placement = Some(body.message()?);
    let request = pb::PlaceSignatureRequest {
        request_id,
        legalisation_request_id,
        placement,
        etag,
    };
    let answer = app.clients.legalisations().place_signature(request).await?;
    tagged(StatusCode::OK, answer.into_inner().legalisation_request)
}

/// What the person confirms: open a confirmation for `hash`.
#[utoipa::path(get, path = "/v1/legalisation-requests/{legalisation_request_id}/confirmation-subject", tag = "legalisation", responses((status = 200, body = ConfirmationSubjectAnswer)))]
async fn get_confirmation_subject(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
) -> Answer<Json<ConfirmationSubjectAnswer>> {
    let request = pb::GetConfirmationSubjectRequest {
        legalisation_request_id,
    };
    let answer = app
        .clients
        .legalisations()
        .get_confirmation_subject(request)
        .await?;
    Ok(Json(answer.into_inner().show()))
}

/// Confirms the request with a confirmation given before, and files it with the office.
#[utoipa::path(post, path = "/v1/legalisation-requests/{legalisation_request_id}/confirm", tag = "legalisation", request_body = ConfirmationUse, responses((status = 200, body = LegalisationRequest)))]
async fn confirm_legalisation_request(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<ConfirmationUse>,
) -> Answer<Tagged<LegalisationRequest>> {
    let confirmation_id = body.confirmation_id;
    let request = pb::ConfirmLegalisationRequestRequest {
        request_id,
        legalisation_request_id,
        confirmation_id,
    };
    let answer = app
        .clients
        .legalisations()
        .confirm_legalisation_request(request)
        .await?;
    tagged(StatusCode::OK, answer.into_inner().legalisation_request)
}

/// Withdraws the request.
#[utoipa::path(post, path = "/v1/legalisation-requests/{legalisation_request_id}/cancel", tag = "legalisation", responses((status = 200, body = LegalisationRequest)))]
async fn cancel_legalisation_request(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
) -> Answer<Tagged<LegalisationRequest>> {
    let request = pb::CancelLegalisationRequestRequest {
        request_id,
        legalisation_request_id,
    };
    let answer = app
        .clients
        .legalisations()
        .cancel_legalisation_request(request)
        .await?;
    tagged(StatusCode::OK, answer.into_inner().legalisation_request)
}

/// Opens a new draft from a refused request, free of charge.
#[utoipa::path(post, path = "/v1/legalisation-requests/{legalisation_request_id}/resubmit", tag = "legalisation", request_body = Resubmission, responses((status = 201, body = LegalisationRequest)))]
async fn resubmit_legalisation_request(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<Resubmission>,
) -> Answer<Tagged<LegalisationRequest>> {
    let document_id = body.document_id.unwrap_or_default();
    let request = pb::ResubmitLegalisationRequestRequest {
        request_id,
        legalisation_request_id,
        document_id,
    };
    let answer = app
        .clients
        .legalisations()
        .resubmit_legalisation_request(request)
        .await?;
    tagged(StatusCode::CREATED, answer.into_inner().legalisation_request)
}

/// A sealed file: `document`, or `legalisation_page` where the document already carried signatures.
#[utoipa::path(get, path = "/v1/legalisation-requests/{legalisation_request_id}/files/{kind}", tag = "legalisation", responses((status = 200, content_type = "application/pdf"), (status = 206, description = "a range of the file", content_type = "application/pdf")))]
async fn download_sealed_file(
    _: User,
    Path((legalisation_request_id, kind)): Path<(String, String)>,
    asked: Asked,
) -> Answer<Response> {
    let file = File::Sealed {
        legalisation_request_id,
        kind: file_kind(&kind)?,
    };
    download::answer(asked, file, Disposition::Attachment).await
}

/// The kind of file named in an address.
///
/// # Errors
/// 404 for a word that names none.
pub(crate) fn file_kind(word: &str) -> Answer<i32> {
    match word {
        "document" => Ok(pb::SealedFileKind::Document as i32),
        "legalisation_page" => Ok(pb::SealedFileKind::LegalisationPage as i32),
        _ => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "there is no file of this kind",
        )),
    }
}

/// Salt and commitments behind the events of a sealed document, for its holder.
#[utoipa::path(get, path = "/v1/legalisation-requests/{legalisation_request_id}/commitments", tag = "legalisation", responses((status = 200, body = Commitments)))]
async fn get_commitments(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
) -> Answer<Json<Commitments>> {
    let request = pb::GetCommitmentsRequest {
        legalisation_request_id,
    };
    let answer = app.clients.legalisations().get_commitments(request).await?;
    Ok(Json(answer.into_inner().show()))
}
