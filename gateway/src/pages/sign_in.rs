//! Sign-in with password and second factor, and sign-out.

use askama::Template;
use axum::Router;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::json::Query;
use crate::language::find;
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User, cookie, ended_cookie};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'page> {
    frame: &'page Frame,
    login: &'page str,
    next: &'page str,
    error: Option<String>,
    /// What was entered is wrong, as opposed to the time or the place.
    wrong: bool,
    /// For the pages of an office.
    for_staff: bool,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactorPage<'page> {
    frame: &'page Frame,
    challenge: &'page str,
    next: &'page str,
    error: Option<String>,
}

#[derive(Deserialize)]
struct NextQuery {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct SignInForm {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct SecondFactorForm {
    #[serde(default)]
    challenge: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/sign-in", get(form).post(sign_in))
        .route("/sign-in/second-factor", get(begin_again).post(second_factor))
        .route("/sign-out", post(sign_out))
}

/// Where to go after sign-in: a path of this site, and never one that a browser reads as another site's.
pub(super) fn target(next: &str) -> &str {
    let own = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n', '\t']);
    if own { next } else { "/account" }
}

/// The page a signed-out person is sent to, and back from.
pub(super) fn address(next: &str) -> String {
    format!("/sign-in?next={}", api::percent_encode(next))
}

/// What the session is for: the pages of offices need a staff session.
fn surface(next: &str) -> pb::SessionSurface {
    if is_for_staff(next) {
        pb::SessionSurface::Staff
    } else {
        pb::SessionSurface::Citizen
    }
}

fn is_for_staff(next: &str) -> bool {
    let path = target(next).split(['?', '#']).next().unwrap_or_default();
    path == "/office" || path.starts_with("/office/")
}

async fn form(frame: Frame, Query(query): Query<NextQuery>) -> Response {
    // A citizen's session does not open an office's pages: whoever works there signs in again.
    if frame.signed_in && (frame.staff || !is_for_staff(&query.next)) {
        return see_other(target(&query.next));
    }
    page(
        &frame,
        StatusCode::OK,
        &SignInPage {
            frame: &frame,
            login: "",
            next: &query.next,
            error: None,
            wrong: false,
            for_staff: is_for_staff(&query.next),
        },
    )
}

async fn begin_again() -> Response {
    see_other("/sign-in")
}

async fn sign_in(
    State(app): State<App>,
    frame: Frame,
    ClientAddress(client_address): ClientAddress,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Response {
    let request = pb::SignInRequest {
        request_id: app.ambient.uuid_v7().to_string(),
        login: form.login.clone(),
        password: form.password,
        surface: surface(&form.next) as i32,
        client_address,
        user_agent: api::user_agent(&headers),
    };
    let answer = app.clients.sessions().sign_in(request).await;
    let problem = match answer.map(|answer| answer.into_inner().result) {
        Ok(Some(pb::sign_in_response::Result::Session(grant))) => return signed_in(grant, &form.next),
        Ok(Some(pb::sign_in_response::Result::Challenge(challenge))) => {
            let frame = frame.at("/sign-in");
            let shown = SecondFactorPage {
                frame: &frame,
                challenge: &challenge.challenge,
                next: &form.next,
                error: None,
            };
            return page(&frame, StatusCode::OK, &shown);
        }
        Ok(None) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "a service answered nothing",
        ),
        Err(status) => Problem::from(status),
    };
    if problem.status.is_server_error() {
        return problem.into_response();
    }
    let error = Some(said(&frame, &problem));
    let shown = SignInPage {
        frame: &frame,
        login: &form.login,
        next: &form.next,
        error,
        wrong: matches!(problem.reason.as_str(), "CREDENTIALS_WRONG" | "INVALID_ARGUMENT"),
        for_staff: is_for_staff(&form.next),
    };
    page(&frame, problem.status, &shown)
}

async fn second_factor(
    State(app): State<App>,
    frame: Frame,
    ClientAddress(client_address): ClientAddress,
    Form(form): Form<SecondFactorForm>,
) -> Response {
    let request = pb::CompleteSignInRequest {
        request_id: app.ambient.uuid_v7().to_string(),
        challenge: form.challenge.clone(),
        code: form
            .code
            .chars()
            .filter(|character| !character.is_whitespace())
            .collect(),
        client_address,
    };
    let problem = match app.clients.sessions().complete_sign_in(request).await {
        Ok(answer) => match answer.into_inner().session {
            Some(grant) => return signed_in(grant, &form.next),
            None => Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL",
                "a service answered nothing",
            ),
        },
        Err(status) => Problem::from(status),
    };
    if problem.status.is_server_error() {
        return problem.into_response();
    }
    let error = Some(said(&frame, &problem));
    let frame = frame.at("/sign-in");
    if problem.status == StatusCode::UNAUTHORIZED {
        // The challenge is over: only a new sign-in helps.
        let shown = SignInPage {
            frame: &frame,
            login: "",
            next: &form.next,
            error,
            wrong: false,
            for_staff: is_for_staff(&form.next),
        };
        return page(&frame, problem.status, &shown);
    }
    let shown = SecondFactorPage {
        frame: &frame,
        challenge: &form.challenge,
        next: &form.next,
        error,
    };
    page(&frame, problem.status, &shown)
}

pub(super) fn said(frame: &Frame, problem: &Problem) -> String {
    let text = find(frame.language, &format!("problem.{}", problem.reason));
    text.unwrap_or_else(|| frame.text("sign_in.failed")).to_owned()
}

pub(super) fn signed_in(grant: pb::SessionGrant, next: &str) -> Response {
    let mut response = see_other(target(next));
    if let Some(cookie) = cookie(&grant.session_secret) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn sign_out(
    State(app): State<App>,
    standing: Option<axum::Extension<Standing>>,
) -> Result<Response, Problem> {
    match standing {
        Some(axum::Extension(Standing::Live(user))) => end(&app, &user, user.session_id.clone()).await?,
        // The session may live on: whoever signs out is not told otherwise.
        Some(axum::Extension(Standing::Unknown(problem) | Standing::Limited(problem))) => {
            return Err(problem);
        }
        _ => {}
    }
    let mut response = see_other("/");
    response.headers_mut().insert(header::SET_COOKIE, ended_cookie());
    Ok(response)
}

/// Ends one of the person's sessions.
pub(super) async fn end(app: &App, _: &User, session_id: String) -> Result<(), Problem> {
    let request_id = app.ambient.uuid_v7().to_string();
    let request = pb::EndSessionRequest {
        request_id,
        session_id: session_id.clone(),
    };
    app.clients.sessions().end_session(request).await?;
    app.exchange.forget(&session_id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pages_of_offices_need_staff() {
        for (next, expected) in [
            ("/office", true),
            ("/office?office_id=1", true),
            ("/office/scan", true),
            ("/offices", false),
            ("/account", false),
            ("//office", false),
        ] {
            assert_eq!(is_for_staff(next), expected, "{next:?}");
        }
    }

    #[test]
    fn nobody_is_sent_to_another_site() {
        for (next, expected) in [
            ("/account", "/account"),
            ("/v/ABCD?lang=fr", "/v/ABCD?lang=fr"),
            ("", "/account"),
            ("//evil.example", "/account"),
            ("/\\evil.example", "/account"),
            ("/\t/evil.example", "/account"),
            ("https://evil.example", "/account"),
        ] {
            assert_eq!(target(next), expected, "{next:?}");
        }
    }
}
