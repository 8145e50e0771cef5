//! Sessions without an account: who has an e-mail address and a phone may order.

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api::accounts::{CodeDelivery, PersonLanguage};
use crate::api::sessions::{SignedIn, check_cookie_wish, signed_in, user_agent};
use crate::api::wire::{Word, body, view};
use crate::api::{Answer, Created, filled};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::json::{Body, IdempotencyKey};

view! {
    /// Codes are on their way to both contacts.
    ContactSessionBegun from pb::StartContactSessionResponse {
        contact_session_id: String,
        /// The codes are good until then.
        expire_time: Option<DateTime<Utc>>,
        deliveries: Vec<CodeDelivery>,
    }
}

body! {
    /// Whose session it will be.
    NewContactSession {
        email: String,
        /// `0XXXXXXXXX`, `00212…`, `+212…` or any E.164 number.
        phone: String,
        language: PersonLanguage,
    }
    /// The codes of both contacts.
    ContactCodes {
        email_code: String,
        phone_code: String,
        /// True for browsers: the secret travels in a cookie alone.
        #[serde(default)]
        cookie: bool,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start_contact_session))
        .routes(routes!(complete_contact_session))
}

/// Sends a code to an e-mail address and one to a phone.
#[utoipa::path(post, path = "/v1/contact-sessions", tag = "sessions", request_body = NewContactSession, responses((status = 201, body = ContactSessionBegun)))]
async fn start_contact_session(
    State(app): State<App>,
    ClientAddress(client_address): ClientAddress,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewContactSession>,
) -> Answer<Created<ContactSessionBegun>> {
    let request = pb::StartContactSessionRequest {
        request_id,
        email: body.email,
        phone: body.phone,
        language: body.language.number(),
        client_address,
    };
    let answer = app.clients.sessions().start_contact_session(request).await?;
    Ok(Created(crate::api::wire::Show::show(answer.into_inner())))
}

/// Opens a session of surface `contact` with both codes.
#[utoipa::path(post, path = "/v1/contact-sessions/{contact_session_id}/completion", tag = "sessions", request_body = ContactCodes, responses((status = 201, body = SignedIn)))]
async fn complete_contact_session(
    State(app): State<App>,
    ClientAddress(client_address): ClientAddress,
    Path(contact_session_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    headers: HeaderMap,
    Body(body): Body<ContactCodes>,
) -> Answer<Response> {
    check_cookie_wish(body.cookie, &headers, &app)?;
    let request = pb::CompleteContactSessionRequest {
        request_id,
        contact_session_id,
        email_code: body.email_code,
        phone_code: body.phone_code,
        client_address,
        user_agent: user_agent(&headers),
    };
    let answer = app.clients.sessions().complete_contact_session(request).await?;
    Ok(signed_in(filled(answer.into_inner().session)?, body.cookie))
}
