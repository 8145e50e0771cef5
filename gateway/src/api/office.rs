//! The office's side of legalisation: queue, claim, review, decision.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api::documents::PictureQuery;
use crate::api::legalisation::{LegalisationRequest, LegalisationState, tagged};
use crate::api::transfer::png;
use crate::api::wire::{Base64, Hex, Show, Word, body, view, words};
use crate::api::{Answer, Listing, ListingBody, Tagged, filled, words_of};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

words! {
    /// Result of comparing a signature with the specimen.
    ComparisonResult from pb::ComparisonResult { Matches, MatchesWithDifferences, Differs }
}

view! {
    /// An entry of the queue.
    QueueEntry from pb::QueueEntry {
        legalisation_request: Option<LegalisationRequest>,
        applicant_name_latin: String,
        applicant_name_arabic: String,
        /// Who holds the claim; null when free.
        claimed_by_person_id: Option<String>,
        claim_expire_time: Option<DateTime<Utc>>,
        return_note: Option<String>,
    }
    /// What an agent compares.
    Review from pb::GetReviewResponse {
        legalisation_request: Option<LegalisationRequest>,
        /// The region of the signature as it will stand.
        region_png: Base64,
        specimen_png: Base64,
        specimen_version: i32,
        /// Sent back with the comparison.
        region_sha256: Hex,
        specimen_sha256: Hex,
    }
}

body! {
    /// The record of a comparison.
    Comparison {
        result: ComparisonResult,
        #[serde(default)]
        note: String,
        specimen_version: i32,
        region_sha256: Hex,
        specimen_sha256: Hex,
    }
    /// An agent's acceptance.
    Acceptance {
        comparison: Comparison,
    }
    /// A refusal with a catalogued reason and a text of 10 to 2,000 characters.
    RefusalDecision {
        reason_code: String,
        text: String,
        #[serde(default)]
        comparison: Option<Comparison>,
    }
    /// Why a request goes back to the agents.
    ReturnNote {
        note: String,
    }
}

impl Comparison {
    fn message(self) -> pb::Comparison {
        pb::Comparison {
            result: self.result.number(),
            note: self.note,
            specimen_version: self.specimen_version,
            region_sha256: self.region_sha256.0,
            specimen_sha256: self.specimen_sha256.0,
        }
    }
}

/// Which requests stand in the queue.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct QueueQuery {
    /// All offices of the caller where absent.
    #[serde(default)]
    office_id: String,
    /// States, separated by commas; those the caller's roles work on where absent.
    #[serde(default)]
    states: String,
    #[serde(default)]
    document_kind: String,
    /// Only free ones and the caller's own.
    #[serde(default)]
    unclaimed_only: bool,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_queue))
        .routes(routes!(claim_request, release_claim))
        .routes(routes!(get_review))
        .routes(routes!(get_review_picture))
        .routes(routes!(accept_request))
        .routes(routes!(refuse_request))
        .routes(routes!(return_request))
}

/// Requests of the caller's offices, oldest first.
#[utoipa::path(get, path = "/v1/office/queue", tag = "office", params(QueueQuery), responses((status = 200, body = ListingBody<QueueEntry>)))]
async fn list_queue(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<QueueQuery>,
) -> Answer<Listing<QueueEntry>> {
    let states: Vec<LegalisationState> = words_of("states", &query.states)?;
    let request = pb::ListQueueRequest {
        page_size: query.page_size,
        page_token: query.page_token,
        office_id: query.office_id,
        states: states.into_iter().map(LegalisationState::number).collect(),
        document_kind: query.document_kind,
        unclaimed_only: query.unclaimed_only,
    };
    let answer = app
        .clients
        .legalisation_office()
        .list_queue(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.entries.show(), answer.next_page_token))
}

/// Claims a request for 15 minutes.
#[utoipa::path(put, path = "/v1/office/requests/{legalisation_request_id}/claim", tag = "office", responses((status = 200, body = QueueEntry)))]
async fn claim_request(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
) -> Answer<Json<QueueEntry>> {
    let request = pb::ClaimRequestRequest {
        request_id,
        legalisation_request_id,
    };
    let answer = app.clients.legalisation_office().claim_request(request).await?;
    Ok(Json(filled(answer.into_inner().entry)?.show()))
}

/// Gives a claim back.
#[utoipa::path(delete, path = "/v1/office/requests/{legalisation_request_id}/claim", tag = "office", responses((status = 204)))]
async fn release_claim(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
) -> Answer<StatusCode> {
    let request = pb::ReleaseClaimRequest {
        request_id,
        legalisation_request_id,
    };
    app.clients.legalisation_office().release_claim(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The signature as it will stand beside the newest specimen that counts.
#[utoipa::path(get, path = "/v1/office/requests/{legalisation_request_id}/review", tag = "office", responses((status = 200, body = Review)))]
async fn get_review(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
) -> Answer<Json<Review>> {
    let request = pb::GetReviewRequest {
        legalisation_request_id,
    };
    let answer = app.clients.legalisation_office().get_review(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// A picture of a page under review.
#[utoipa::path(get, path = "/v1/office/requests/{legalisation_request_id}/pages/{page_number}/image.png", tag = "office", params(PictureQuery), responses((status = 200, content_type = "image/png")))]
async fn get_review_picture(
    State(app): State<App>,
    _: User,
    Path((legalisation_request_id, page_number)): Path<(String, i32)>,
    Query(query): Query<PictureQuery>,
) -> Answer<Response> {
    let region = query.region()?;
    let width_pixels = query.width;
    let request = pb::RenderReviewPageRequest {
        legalisation_request_id,
        page_number,
        region,
        width_pixels,
    };
    let answer = app
        .clients
        .legalisation_office()
        .render_review_page(request)
        .await?;
    Ok(png(answer.into_inner().image_png))
}

/// Records the comparison and accepts.
#[utoipa::path(post, path = "/v1/office/requests/{legalisation_request_id}/accept", tag = "office", request_body = Acceptance, responses((status = 200, body = LegalisationRequest)))]
async fn accept_request(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<Acceptance>,
) -> Answer<Tagged<LegalisationRequest>> {
    let comparison = Some(body.comparison.message());
    let request = pb::AcceptRequestRequest {
        request_id,
        legalisation_request_id,
        comparison,
    };
    let answer = app.clients.legalisation_office().accept_request(request).await?;
    tagged(StatusCode::OK, answer.into_inner().legalisation_request)
}

/// Refuses with a catalogued reason and a text.
#[utoipa::path(post, path = "/v1/office/requests/{legalisation_request_id}/refuse", tag = "office", request_body = RefusalDecision, responses((status = 200, body = LegalisationRequest)))]
async fn refuse_request(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<RefusalDecision>,
) -> Answer<Tagged<LegalisationRequest>> {
    let request = pb::RefuseRequestRequest {
        request_id,
        legalisation_request_id,
        reason_code: body.reason_code,
        text: body.text,
        comparison: body.comparison.map(Comparison::message),
    };
    let answer = app.clients.legalisation_office().refuse_request(request).await?;
    tagged(StatusCode::OK, answer.into_inner().legalisation_request)
}

/// Sends a request back to the agents with a note.
#[utoipa::path(post, path = "/v1/office/requests/{legalisation_request_id}/return", tag = "office", request_body = ReturnNote, responses((status = 200, body = LegalisationRequest)))]
async fn return_request(
    State(app): State<App>,
    _: User,
    Path(legalisation_request_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<ReturnNote>,
) -> Answer<Tagged<LegalisationRequest>> {
    let request = pb::ReturnRequestRequest {
        request_id,
        legalisation_request_id,
        note: body.note,
    };
    let answer = app.clients.legalisation_office().return_request(request).await?;
    tagged(StatusCode::OK, answer.into_inner().legalisation_request)
}
