//! What needs a person: late, silent, delivered to another, not refunded.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::{Desk, Workplace, staff, workplaces};
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
    places: &'page [Workplace],
    office_id: &'page str,
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
    headers: HeaderMap,
    axum::Extension(standing): axum::Extension<Standing>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let user = match staff(&frame, &standing) {
        Ok(user) => user,
        Err(answer) => return Ok(*answer),
    };
    let places = workplaces(&app, &frame, &user).await?;
    let known = |id: &String| places.iter().any(|place| place.office_id == *id);
    let office_id = [which.office_id, Desk::kept(&headers).office_id]
        .into_iter()
        .find(known)
        .or_else(|| places.first().map(|place| place.office_id.clone()))
        .unwrap_or_default();
    let request = pb::ListExceptionsRequest {
        office_id: office_id.clone(),
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
    let next = |token: &str| {
        let (office, token) = (percent_encode(&office_id), percent_encode(token));
        format!("/office/exceptions?office_id={office}&page_token={token}")
    };
    let shown = ExceptionsPage {
        at: "exceptions",
        places: &places,
        office_id: &office_id,
        rows: answer.entries.into_iter().map(row).collect(),
        next: (!token.is_empty()).then(|| next(&token)),
        frame: &frame,
    };
    Ok(page(&frame, StatusCode::OK, &shown))
}
