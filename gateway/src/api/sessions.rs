//! Sign-in, second factor, and the person's sessions.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, StatusCode, header};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api::wire::{Show, Word, body, view, words};
use crate::api::{Answer, Listing, ListingBody, PageQuery, filled};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::json::{Body, IdempotencyKey, OptionalIdempotencyKey, Query};
use crate::session::{User, check_same_site, cookie, ended_cookie};

words! {
    /// What a session may be used for. Staff do not act through a citizen session.
    SessionSurface from pb::SessionSurface { Citizen, Staff, Contact }
}

view! {
    /// A live session.
    Session from pb::Session {
        session_id: String,
        surface: SessionSurface,
        create_time: Option<DateTime<Utc>>,
        last_use_time: Option<DateTime<Utc>>,
        expire_time: Option<DateTime<Utc>>,
        user_agent: String,
        client_address: String,
        /// True for the session of this call.
        current: bool,
    }
    /// A second factor is needed: send its code with `challenge`.
    Challenge from pb::SecondFactorChallenge {
        challenge: String,
        expire_time: Option<DateTime<Utc>>,
    }
}

/// A new session.
#[derive(serde::Serialize, utoipa::ToSchema)]
struct NewSession {
    session_id: String,
    /// Sent as `Authorization: Bearer`; null where it travels in a cookie. Shown once.
    session_secret: Option<String>,
    expire_time: Option<DateTime<Utc>>,
}

/// Exactly one of the two is set.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct SignedIn {
    session: Option<NewSession>,
    challenge: Option<Challenge>,
}

body! {
    /// A sign-in.
    SignIn {
        /// The account's e-mail address.
        login: String,
        password: String,
        surface: SessionSurface,
        /// True for browsers: the secret travels in a cookie alone.
        #[serde(default)]
        cookie: bool,
    }
    /// A second factor.
    SecondFactor {
        challenge: String,
        /// TOTP (six digits) or recovery code.
        code: String,
        #[serde(default)]
        cookie: bool,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, list_sessions))
        .routes(routes!(complete_sign_in))
        .routes(routes!(end_session))
}

pub(super) fn signed_in(grant: pb::SessionGrant, by_cookie: bool) -> Response {
    let expire_time = grant.expire_time.map(Show::show);
    let set_cookie = by_cookie.then(|| cookie(&grant.session_secret)).flatten();
    let session = NewSession {
        session_id: grant.session_id,
        session_secret: (!by_cookie).then_some(grant.session_secret),
        expire_time,
    };
    let body = Json(SignedIn {
        session: Some(session),
        challenge: None,
    });
    let mut response = (StatusCode::CREATED, body).into_response();
    if let Some(value) = set_cookie {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

/// Another site must not sign a browser in to an account of its choosing.
pub(super) fn check_cookie_wish(wanted: bool, headers: &HeaderMap, app: &App) -> Answer<()> {
    if wanted {
        check_same_site(&Method::POST, headers, &app.settings.http.public_url)
    } else {
        Ok(())
    }
}

/// Signs in with a password; a first step where a second factor is enrolled or the surface is staff.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = SignIn, responses((status = 201, body = SignedIn), (status = 200, description = "a second factor is needed", body = SignedIn)))]
async fn sign_in(
    State(app): State<App>,
    ClientAddress(client_address): ClientAddress,
    OptionalIdempotencyKey(request_id): OptionalIdempotencyKey,
    headers: HeaderMap,
    Body(body): Body<SignIn>,
) -> Answer<Response> {
    check_cookie_wish(body.cookie, &headers, &app)?;
    let request = pb::SignInRequest {
        request_id: request_id.unwrap_or_else(|| app.ambient.uuid_v7().to_string()),
        login: body.login,
        password: body.password,
        surface: body.surface.number(),
        client_address,
        user_agent: user_agent(&headers),
    };
    let answer = app.clients.sessions().sign_in(request).await?.into_inner();
    Ok(match filled(answer.result)? {
        pb::sign_in_response::Result::Session(grant) => signed_in(grant, body.cookie),
        pb::sign_in_response::Result::Challenge(challenge) => Json(SignedIn {
            session: None,
            challenge: Some(challenge.show()),
        })
        .into_response(),
    })
}

/// Ends a sign-in with the second factor.
#[utoipa::path(post, path = "/v1/sessions/second-factor", tag = "sessions", request_body = SecondFactor, responses((status = 201, body = SignedIn)))]
async fn complete_sign_in(
    State(app): State<App>,
    ClientAddress(client_address): ClientAddress,
    OptionalIdempotencyKey(request_id): OptionalIdempotencyKey,
    headers: HeaderMap,
    Body(body): Body<SecondFactor>,
) -> Answer<Response> {
    check_cookie_wish(body.cookie, &headers, &app)?;
    let request = pb::CompleteSignInRequest {
        request_id: request_id.unwrap_or_else(|| app.ambient.uuid_v7().to_string()),
        challenge: body.challenge,
        code: body.code,
        client_address,
    };
    let answer = app
        .clients
        .sessions()
        .complete_sign_in(request)
        .await?
        .into_inner();
    Ok(signed_in(filled(answer.session)?, body.cookie))
}

/// The person's live sessions.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", params(PageQuery), responses((status = 200, body = ListingBody<Session>)))]
async fn list_sessions(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<PageQuery>,
) -> Answer<Listing<Session>> {
    let request = pb::ListSessionsRequest {
        page_size: page.page_size,
        page_token: page.page_token,
    };
    let answer = app.clients.sessions().list_sessions(request).await?.into_inner();
    Ok(Listing::new(uri, answer.sessions.show(), answer.next_page_token))
}

/// Ends a session at once; `current` names the session of this call.
#[utoipa::path(delete, path = "/v1/sessions/{session_id}", tag = "sessions", responses((status = 204)))]
async fn end_session(
    State(app): State<App>,
    user: User,
    Path(session_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
) -> Answer<Response> {
    let own = session_id == "current" || session_id == user.session_id;
    let session_id = if own { user.session_id } else { session_id };
    app.clients
        .sessions()
        .end_session(pb::EndSessionRequest {
            request_id,
            session_id: session_id.clone(),
        })
        .await?;
    app.exchange.forget(&session_id);
    let mut response = StatusCode::NO_CONTENT.into_response();
    if own {
        response.headers_mut().insert(header::SET_COOKIE, ended_cookie());
    }
    Ok(response)
}

/// What the browser calls itself, shortened for the list of sessions.
pub(crate) fn user_agent(headers: &HeaderMap) -> String {
    let text = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.chars().take(200).collect()
}
