//! A session without an account: codes to an e-mail address and a phone open it.

use askama::Template;
use axum::Router;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::json::Query;
use crate::language::Language;
use crate::pages::sign_in::{said, signed_in, target};
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "contact.html")]
struct ContactPage<'page> {
    frame: &'page Frame,
    email: &'page str,
    phone: &'page str,
    next: &'page str,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "contact_codes.html")]
struct CodesPage<'page> {
    frame: &'page Frame,
    contact_session_id: &'page str,
    next: &'page str,
    error: Option<String>,
}

#[derive(Deserialize)]
struct NextQuery {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct ContactForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    phone: String,
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct CodesForm {
    #[serde(default)]
    contact_session_id: String,
    #[serde(default)]
    email_code: String,
    #[serde(default)]
    phone_code: String,
    #[serde(default)]
    next: String,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/contact", get(form).post(begin))
        .route("/contact/codes", post(complete))
}

async fn form(frame: Frame, Query(query): Query<NextQuery>) -> Response {
    if frame.signed_in {
        return see_other(target(&query.next));
    }
    let shown = ContactPage {
        frame: &frame,
        email: "",
        phone: "",
        next: &query.next,
        error: None,
    };
    page(&frame, StatusCode::OK, &shown)
}

fn language(frame: &Frame) -> i32 {
    let language = match frame.language {
        Language::Arabic => pb::Language::Ar,
        Language::French => pb::Language::Fr,
        Language::Tamazight => pb::Language::Zgh,
        Language::English => pb::Language::En,
    };
    language as i32
}

async fn begin(
    State(app): State<App>,
    frame: Frame,
    ClientAddress(client_address): ClientAddress,
    Form(form): Form<ContactForm>,
) -> Response {
    let request = pb::StartContactSessionRequest {
        request_id: app.ambient.uuid_v7().to_string(),
        email: form.email.trim().to_owned(),
        phone: form.phone.trim().to_owned(),
        language: language(&frame),
        client_address,
    };
    let frame = frame.at("/contact");
    match app.clients.sessions().start_contact_session(request).await {
        Ok(answer) => {
            let shown = CodesPage {
                frame: &frame,
                contact_session_id: &answer.into_inner().contact_session_id,
                next: &form.next,
                error: None,
            };
            page(&frame, StatusCode::OK, &shown)
        }
        Err(status) => {
            let problem = Problem::from(status);
            if problem.status.is_server_error() {
                return problem.into_response();
            }
            let shown = ContactPage {
                frame: &frame,
                email: &form.email,
                phone: &form.phone,
                next: &form.next,
                error: Some(said(&frame, &problem)),
            };
            page(&frame, problem.status, &shown)
        }
    }
}

async fn complete(
    State(app): State<App>,
    frame: Frame,
    ClientAddress(client_address): ClientAddress,
    headers: HeaderMap,
    Form(form): Form<CodesForm>,
) -> Response {
    let plain = |code: &str| {
        code.chars()
            .filter(|character| !character.is_whitespace())
            .collect()
    };
    let request = pb::CompleteContactSessionRequest {
        request_id: app.ambient.uuid_v7().to_string(),
        contact_session_id: form.contact_session_id.clone(),
        email_code: plain(&form.email_code),
        phone_code: plain(&form.phone_code),
        client_address,
        user_agent: api::user_agent(&headers),
    };
    let answer = app.clients.sessions().complete_contact_session(request).await;
    let grant = match answer {
        Ok(answer) => api::filled(answer.into_inner().session),
        Err(status) => Err(Problem::from(status)),
    };
    let problem = match grant {
        Ok(grant) => return signed_in(grant, &form.next),
        Err(problem) if problem.status.is_server_error() => return problem.into_response(),
        Err(problem) => problem,
    };
    let frame = frame.at("/contact");
    let error = Some(said(&frame, &problem));
    if problem.status == StatusCode::NOT_FOUND {
        // The codes are over: only new ones help.
        let shown = ContactPage {
            frame: &frame,
            email: "",
            phone: "",
            next: &form.next,
            error,
        };
        return page(&frame, problem.status, &shown);
    }
    let shown = CodesPage {
        frame: &frame,
        contact_session_id: &form.contact_session_id,
        next: &form.next,
        error,
    };
    page(&frame, problem.status, &shown)
}
