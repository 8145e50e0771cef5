//! What the office answers when it cannot make a document: a refusal, or a request to correct.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::{said, staff};
use crate::api::{order_office, percent_encode};
use crate::app::App;
use crate::pages::order::reason_text;
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User};

/// Which of the two answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Refusal,
    Correction,
}

struct Reason {
    code: String,
    text: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "office_decision.html")]
struct DecisionPage<'page> {
    frame: &'page Frame,
    at: &'static str,
    refusal: bool,
    reference: String,
    action: &'static str,
    back: String,
    reasons: Vec<Reason>,
    request_id: String,
    text: &'page str,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DecisionForm {
    request_id: String,
    reason_code: String,
    text: String,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/office/lines/{line_id}/refusal", get(ask_refusal).post(refuse))
        .route(
            "/office/lines/{line_id}/correction",
            get(ask_correction).post(request_correction),
        )
}

async fn ask_refusal(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path(line_id): Path<String>,
) -> Result<Response, Problem> {
    ask(&app, &frame, &standing, line_id, Kind::Refusal).await
}

async fn ask_correction(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path(line_id): Path<String>,
) -> Result<Response, Problem> {
    ask(&app, &frame, &standing, line_id, Kind::Correction).await
}

async fn ask(
    app: &App,
    frame: &Frame,
    standing: &Standing,
    line_id: String,
    kind: Kind,
) -> Result<Response, Problem> {
    if let Err(answer) = staff(frame, standing) {
        return Ok(*answer);
    }
    shown(app, frame, line_id, kind, &DecisionForm::default(), None).await
}

async fn shown(
    app: &App,
    frame: &Frame,
    line_id: String,
    kind: Kind,
    form: &DecisionForm,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let back = format!("/office/lines/{}", percent_encode(&line_id));
    let key = Some(order_office::line_key(line_id));
    let answer = app
        .clients
        .order_office()
        .get_line(pb::GetLineRequest { key })
        .await?
        .into_inner();
    let line = answer.entry.and_then(|entry| entry.line).unwrap_or_default();
    let catalogue = app
        .clients
        .orders()
        .get_catalogue(pb::GetCatalogueRequest {})
        .await?
        .into_inner();
    let (reasons, action) = match kind {
        Kind::Refusal => (catalogue.refusal_reasons, "refusal"),
        Kind::Correction => (catalogue.correction_reasons, "correction"),
    };
    let reason = |reason: pb::OfficeReason| Reason {
        text: reason_text(frame.language, &reason),
        chosen: reason.code == form.reason_code,
        code: reason.code,
    };
    let shown = DecisionPage {
        at: "queue",
        refusal: kind == Kind::Refusal,
        reference: line.line_reference,
        action,
        back,
        reasons: reasons.into_iter().map(reason).collect(),
        request_id: app.ambient.uuid_v7().to_string(),
        text: &form.text,
        error: problem.as_ref().map(|problem| said(frame, problem)),
        frame,
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.status);
    Ok(page(frame, status, &shown))
}

async fn refuse(
    State(app): State<App>,
    frame: Frame,
    _: User,
    Path(line_id): Path<String>,
    Form(form): Form<DecisionForm>,
) -> Result<Response, Problem> {
    let request = pb::RefuseLineRequest {
        request_id: form.request_id.clone(),
        line_id: line_id.clone(),
        reason_code: form.reason_code.clone(),
        text: form.text.trim().to_owned(),
    };
    let answer = app.clients.order_office().refuse_line(request).await.map(drop);
    decided(&app, &frame, line_id, Kind::Refusal, &form, answer).await
}

async fn request_correction(
    State(app): State<App>,
    frame: Frame,
    _: User,
    Path(line_id): Path<String>,
    Form(form): Form<DecisionForm>,
) -> Result<Response, Problem> {
    let request = pb::RequestCorrectionRequest {
        request_id: form.request_id.clone(),
        line_id: line_id.clone(),
        reason_code: form.reason_code.clone(),
        text: form.text.trim().to_owned(),
    };
    let answer = app
        .clients
        .order_office()
        .request_correction(request)
        .await
        .map(drop);
    decided(&app, &frame, line_id, Kind::Correction, &form, answer).await
}

async fn decided(
    app: &App,
    frame: &Frame,
    line_id: String,
    kind: Kind,
    form: &DecisionForm,
    answer: Result<(), tonic::Status>,
) -> Result<Response, Problem> {
    match answer.map_err(Problem::from) {
        Ok(()) => Ok(see_other(&format!("/office/lines/{}", percent_encode(&line_id)))),
        Err(problem) if problem.status == StatusCode::NOT_FOUND => Err(problem),
        Err(problem) => shown(app, frame, line_id, kind, form, Some(problem)).await,
    }
}
