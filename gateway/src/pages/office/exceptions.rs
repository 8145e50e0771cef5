//! What needs a person: late, silent, delivered to another, not refunded.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::staff;
use crate::api::civil_status::text as said;
use crate::api::percent_encode;
use crate::app::App;
use crate::json::Query;
use crate::language::find;
use crate::pages::{Frame, page};
use crate::problem::Problem;
use crate::session::Standing;

struct Row {
    address: String,
    reference: String,
    text: String,
    since: String,
    deadline: String,
}

#[derive(Template)]
#[template(path = "office_exceptions.html")]
struct ExceptionsPage<'page> {
    frame: &'page Frame,
    at: &'static str,
    rows: Vec<Row>,
    next: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Which {
    office_id: String,
    page_token: String,
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/office/exceptions", get(show))
}

async fn show(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    if let Err(answer) = staff(&frame, &standing) {
        return Ok(*answer);
    }
    let request = pb::ListExceptionsRequest {
        office_id: which.office_id,
        page_size: 50,
        page_token: which.page_token,
    };
    let answer = app
        .clients
        .order_office()
        .list_exceptions(request)
        .await?
        .into_inner();
    let row = |entry: pb::ExceptionEntry| Row {
        address: format!("/office/lines/{}", percent_encode(&entry.line_id)),
        reference: entry.line_reference,
        text: find(frame.language, &format!("exception.{}", entry.code))
            .unwrap_or(&entry.code)
            .to_owned(),
        since: said::day(entry.since.as_ref()).unwrap_or_default(),
        deadline: said::day(entry.deadline.as_ref()).unwrap_or_default(),
    };
    let token = answer.next_page_token;
    let shown = ExceptionsPage {
        at: "exceptions",
        rows: answer.entries.into_iter().map(row).collect(),
        next: (!token.is_empty())
            .then(|| format!("/office/exceptions?page_token={}", percent_encode(&token))),
        frame: &frame,
    };
    Ok(page(&frame, StatusCode::OK, &shown))
}
