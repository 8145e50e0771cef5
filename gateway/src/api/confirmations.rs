//! Step-up confirmations: exactly these hashes, for exactly this purpose, with a second factor.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api::wire::{Hex, Show, Word, body, view, words};
use crate::api::{Answer, Created, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey};
use crate::session::User;

words! {
    /// What a confirmation may be used for.
    ConfirmationPurpose from pb::ConfirmationPurpose { Legalise, Seal }
    /// States of a confirmation.
    ConfirmationState from pb::ConfirmationState { Open, Confirmed, Redeemed, Expired, Barred }
}

view! {
    /// A confirmation: single use, ten minutes.
    Confirmation from pb::Confirmation {
        confirmation_id: String,
        purpose: ConfirmationPurpose,
        state: ConfirmationState,
        /// SHA-256 values.
        hashes: Vec<Hex>,
        expire_time: Option<DateTime<Utc>>,
        attempts_left: i32,
    }
}

body! {
    /// What is to be confirmed.
    NewConfirmation {
        purpose: ConfirmationPurpose,
        /// 1 to 200 distinct SHA-256 values.
        hashes: Vec<Hex>,
    }
    /// A code of the authenticator for a confirmation.
    ConfirmationCode {
        code: String,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_confirmation))
        .routes(routes!(confirm_with_totp))
}

/// Opens a confirmation.
#[utoipa::path(post, path = "/v1/confirmations", tag = "confirmations", request_body = NewConfirmation, responses((status = 201, body = Confirmation)))]
async fn create_confirmation(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewConfirmation>,
) -> Answer<Created<Confirmation>> {
    let request = pb::CreateConfirmationRequest {
        request_id,
        purpose: body.purpose.number(),
        hashes: body.hashes.into_iter().map(|hash| hash.0).collect(),
    };
    let answer = app.clients.confirmations().create_confirmation(request).await?;
    Ok(Created(filled(answer.into_inner().confirmation)?.show()))
}

/// Confirms with a TOTP code. A code works once.
#[utoipa::path(post, path = "/v1/confirmations/{confirmation_id}/totp", tag = "confirmations", request_body = ConfirmationCode, responses((status = 200, body = Confirmation)))]
async fn confirm_with_totp(
    State(app): State<App>,
    _: User,
    Path(confirmation_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<ConfirmationCode>,
) -> Answer<Json<Confirmation>> {
    let request = pb::ConfirmWithTotpRequest {
        request_id,
        confirmation_id,
        code: body.code,
    };
    let answer = app.clients.confirmations().confirm_with_totp(request).await?;
    Ok(Json(filled(answer.into_inner().confirmation)?.show()))
}
