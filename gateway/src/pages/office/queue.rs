//! The lines that wait at the person's offices, with filters.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::{Desk, Workplace, chosen_office, staff, workplaces};
use crate::api::civil_status::text as said;
use crate::api::percent_encode;
use crate::app::App;
use crate::json::Query;
use crate::language::text;
use crate::pages::order::{Names, act, line_class};
use crate::pages::{Frame, page};
use crate::problem::Problem;
use crate::session::Standing;

/// Lines a page.
const PAGE: i32 = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Filter {
    office_id: Option<String>,
    /// `waiting` where absent: what the office has to make; `all`, `to_correct`, `produced`.
    show: String,
    path: String,
    late: bool,
    unassigned: bool,
    reference: String,
    page_token: String,
}

/// A line of the queue.
pub(super) struct Row {
    pub(super) address: String,
    pub(super) reference: String,
    pub(super) kind: String,
    pub(super) act: String,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
    pub(super) deadline: String,
    pub(super) late: bool,
    pub(super) path: &'static str,
    pub(super) assigned: bool,
    pub(super) mine: bool,
}

#[derive(Template)]
#[template(path = "office_queue.html")]
struct QueuePage<'page> {
    frame: &'page Frame,
    at: &'static str,
    filter: &'page Filter,
    office_id: &'page str,
    places: &'page [Workplace],
    rows: Vec<Row>,
    next: Option<String>,
    request_id: String,
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/office", get(show))
}

fn states(show: &str) -> Vec<i32> {
    use pb::LineState as S;
    let states: &[S] = match show {
        "to_correct" => &[S::ToCorrect],
        "produced" => &[S::Produced],
        "all" => &[
            S::Paid,
            S::ToCorrect,
            S::InProduction,
            S::Produced,
            S::HandedOver,
            S::Returned,
        ],
        _ => &[S::Paid, S::InProduction],
    };
    states.iter().map(|state| *state as i32).collect()
}

/// A line as the queue shows it.
pub(super) fn row(frame: &Frame, names: &Names, person_id: &str, entry: &pb::QueueEntry) -> Row {
    let line = entry.line.clone().unwrap_or_default();
    Row {
        address: format!("/office/lines/{}", percent_encode(&line.line_id)),
        kind: names.kind(&line.document_kind),
        act: act(frame.language, line.act.as_ref()),
        state: text(frame.language, said::line_name_key(line.state())),
        class: line_class(line.state()),
        deadline: said::day(line.deadline.as_ref()).unwrap_or_default(),
        late: entry.late,
        path: match entry.path.as_str() {
            "DIGITISED" => text(frame.language, "bureau.digitised"),
            "PAPER" => text(frame.language, "bureau.paper"),
            _ => "",
        },
        assigned: !entry.assigned_to_person_id.is_empty(),
        mine: entry.assigned_to_person_id == person_id,
        reference: line.line_reference,
    }
}

async fn show(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
    axum::Extension(standing): axum::Extension<Standing>,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let user = match staff(&frame, &standing) {
        Ok(user) => user,
        Err(answer) => return Ok(*answer),
    };
    let places = workplaces(&app, &frame, &user).await?;
    let office_id = chosen_office(filter.office_id.as_deref(), &Desk::kept(&headers), &places);
    let request = pb::ListQueueRequest {
        page_size: PAGE,
        page_token: filter.page_token.clone(),
        office_id: office_id.clone(),
        states: states(&filter.show),
        path: filter.path.clone(),
        unassigned_only: filter.unassigned,
        late_only: filter.late,
        reference: filter.reference.trim().to_owned(),
        ..Default::default()
    };
    let answer = app.clients.order_office().list_queue(request).await?.into_inner();
    let names = Names::read(&app, frame.language).await;
    let rows = answer
        .entries
        .iter()
        .map(|entry| row(&frame, &names, &user.person_id, entry));
    let shown = QueuePage {
        at: "queue",
        rows: rows.collect(),
        next: (!answer.next_page_token.is_empty()).then(|| next(&frame, &answer.next_page_token)),
        request_id: app.ambient.uuid_v7().to_string(),
        office_id: &office_id,
        places: &places,
        filter: &filter,
        frame: &frame,
    };
    Ok(page(&frame, StatusCode::OK, &shown).into_response())
}

/// The same list from the next page on.
fn next(frame: &Frame, token: &str) -> String {
    let kept = frame.query.split('&');
    let kept = kept.filter(|pair| !pair.is_empty() && !pair.starts_with("page_token="));
    let mut pairs: Vec<String> = kept.map(str::to_owned).collect();
    pairs.push(format!("page_token={}", percent_encode(token)));
    format!("/office?{}", pairs.join("&"))
}
