//! Seals: the officer authorises, confirms the exact hashes, and seals with the key's PIN.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api::legalisation::{LegalisationRequest, RegisterEntry};
use crate::api::wire::{Hex, Show, body, view};
use crate::api::{Answer, Listing, ListingBody, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

view! {
    /// An intent to seal, frozen.
    SealIntent from pb::SealIntent {
        intent_id: String,
        legalisation_request_id: String,
        register_entry: Option<RegisterEntry>,
        /// The hashes to confirm; empty while there is none to confirm.
        digests: Vec<Hex>,
        create_time: Option<DateTime<Utc>>,
        /// What happens next, such as `WAITING_FOR_OFFICER`.
        progress_code: Option<String>,
    }
    /// Why one item of a batch was not done.
    SealProblem from pb::SealProblem {
        legalisation_request_id: Option<String>,
        intent_id: Option<String>,
        /// Stable code.
        reason: String,
        description: String,
    }
    /// Each request named is in exactly one of the lists.
    Authorisation from pb::AuthoriseSealsResponse {
        intents: Vec<SealIntent>,
        problems: Vec<SealProblem>,
    }
    /// What was sealed and what was not.
    Sealing from pb::SealResponse {
        legalisation_requests: Vec<LegalisationRequest>,
        problems: Vec<SealProblem>,
    }
}

body! {
    /// Requests to be sealed: 1 to 200, all of one office.
    SealsToAuthorise {
        legalisation_request_ids: Vec<String>,
        /// Null where the officer has one credential.
        #[serde(default)]
        credential_id: Option<String>,
    }
    /// Why an intent cannot be finished.
    Annulment {
        reason: String,
    }
    /// Intents to seal: 1 to 200, all of one credential.
    Seals {
        intent_ids: Vec<String>,
        /// A confirmation of exactly the intents' digests.
        confirmation_id: String,
        /// PIN of the officer's token; never stored.
        pin: String,
    }
}

/// Whose intents are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct IntentsQuery {
    #[serde(default)]
    office_id: String,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(authorise_seals, list_intents))
        .routes(routes!(annul_intent))
        .routes(routes!(seal))
}

/// Gives each request its register number and answers the hashes to confirm.
#[utoipa::path(post, path = "/v1/office/seal-intents", tag = "seals", request_body = SealsToAuthorise, responses((status = 200, body = Authorisation)))]
async fn authorise_seals(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<SealsToAuthorise>,
) -> Answer<Json<Authorisation>> {
    let request = pb::AuthoriseSealsRequest {
        request_id,
        legalisation_request_ids: body.legalisation_request_ids,
        credential_id: body.credential_id.unwrap_or_default(),
    };
    let answer = app.clients.legalisation_office().authorise_seals(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// The officer's open intents, oldest first.
#[utoipa::path(get, path = "/v1/office/seal-intents", tag = "seals", params(IntentsQuery), responses((status = 200, body = ListingBody<SealIntent>)))]
async fn list_intents(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<IntentsQuery>,
) -> Answer<Listing<SealIntent>> {
    let request = pb::ListIntentsRequest {
        office_id: query.office_id,
        page_size: query.page_size,
        page_token: query.page_token,
    };
    let answer = app
        .clients
        .legalisation_office()
        .list_intents(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.intents.show(), answer.next_page_token))
}

/// Ends an intent that cannot be finished; its register entry is annulled.
#[utoipa::path(post, path = "/v1/office/seal-intents/{intent_id}/annul", tag = "seals", request_body = Annulment, responses((status = 200, body = RegisterEntry)))]
async fn annul_intent(
    State(app): State<App>,
    _: User,
    Path(intent_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<Annulment>,
) -> Answer<Json<RegisterEntry>> {
    let request = pb::AnnulIntentRequest {
        request_id,
        intent_id,
        reason: body.reason,
    };
    let answer = app.clients.legalisation_office().annul_intent(request).await?;
    Ok(Json(filled(answer.into_inner().register_entry)?.show()))
}

/// Seals authorised intents with the officer's key.
#[utoipa::path(post, path = "/v1/office/seals", tag = "seals", request_body = Seals, responses((status = 200, body = Sealing)))]
async fn seal(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<Seals>,
) -> Answer<Json<Sealing>> {
    let request = pb::SealRequest {
        request_id,
        intent_ids: body.intent_ids,
        confirmation_id: body.confirmation_id,
        pin: body.pin,
    };
    let answer = app.clients.legalisation_office().seal(request).await?;
    Ok(Json(answer.into_inner().show()))
}
