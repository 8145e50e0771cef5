//! An order, or an act of it, is cancelled after one more question.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::{line_of, mendable, order, order_page, said, signed_in};
use crate::app::App;
use crate::language::text;
use crate::pages::order::{Names, act};
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User};

#[derive(Template)]
#[template(path = "order_cancel.html")]
struct CancelPage<'page> {
    frame: &'page Frame,
    title: &'static str,
    reference: String,
    what: String,
    paid: bool,
    action: String,
    back: String,
    request_id: String,
    etag: String,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CancelForm {
    request_id: String,
    etag: String,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route(
            "/orders/{order_id}/cancellation",
            get(ask_order).post(cancel_order),
        )
        .route(
            "/orders/{order_id}/lines/{line_id}/cancellation",
            get(ask_line).post(cancel_line),
        )
}

async fn ask_order(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path(order_id): Path<String>,
) -> Result<Response, Problem> {
    if let Err(answer) = signed_in(&frame, &standing) {
        return *answer;
    }
    show_cancel(&app, &frame, order_id, None, None).await
}

async fn ask_line(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path((order_id, line_id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    if let Err(answer) = signed_in(&frame, &standing) {
        return *answer;
    }
    show_cancel(&app, &frame, order_id, Some(line_id), None).await
}

/// What would be cancelled, to be confirmed.
async fn show_cancel(
    app: &App,
    frame: &Frame,
    order_id: String,
    line_id: Option<String>,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let order = order(app, order_id).await?;
    let names = Names::read(app, frame.language).await;
    let named = |line: &pb::OrderLine| {
        let of = act(frame.language, line.act.as_ref());
        format!("{} · {of}", names.kind(&line.document_kind))
    };
    let (title, what, action) = match &line_id {
        None => {
            let all: Vec<String> = order.lines.iter().map(named).collect();
            let action = format!("/orders/{}/cancellation", order.order_id);
            ("change.cancel", all.join("\n"), action)
        }
        Some(line_id) => {
            let line = line_of(&order, line_id)?;
            let action = format!("/orders/{}/lines/{}/cancellation", order.order_id, line.line_id);
            ("change.cancel_line", named(line), action)
        }
    };
    let shown = CancelPage {
        title: text(frame.language, title),
        paid: order.state() != pb::OrderState::AwaitingPayment,
        back: order_page(&order.order_id),
        request_id: app.ambient.uuid_v7().to_string(),
        error: problem.as_ref().map(|problem| said(frame, &problem.reason)),
        reference: order.reference,
        etag: order.etag,
        what,
        action,
        frame,
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.status);
    Ok(page(frame, status, &shown))
}

async fn cancel_order(
    State(app): State<App>,
    frame: Frame,
    _: User,
    Path(order_id): Path<String>,
    Form(form): Form<CancelForm>,
) -> Result<Response, Problem> {
    cancel(&app, &frame, order_id, None, form).await
}

async fn cancel_line(
    State(app): State<App>,
    frame: Frame,
    _: User,
    Path((order_id, line_id)): Path<(String, String)>,
    Form(form): Form<CancelForm>,
) -> Result<Response, Problem> {
    cancel(&app, &frame, order_id, Some(line_id), form).await
}

async fn cancel(
    app: &App,
    frame: &Frame,
    order_id: String,
    line_id: Option<String>,
    form: CancelForm,
) -> Result<Response, Problem> {
    let request = pb::CancelLinesRequest {
        request_id: form.request_id,
        order_id: order_id.clone(),
        line_ids: line_id.iter().cloned().collect(),
        etag: form.etag,
    };
    match app.clients.orders().cancel_lines(request).await {
        Ok(_) => Ok(see_other(&order_page(&order_id))),
        Err(status) => {
            let problem = Problem::from(status);
            if !mendable(&problem) {
                return Err(problem);
            }
            show_cancel(app, frame, order_id, line_id, Some(problem)).await
        }
    }
}
