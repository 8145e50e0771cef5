//! Batch sheets: drawn up from the queue, printed, worked through in the register room.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::{Desk, Workplace, chosen_office, staff, workplaces};
use crate::api::{self, order_office, percent_encode};
use crate::app::App;
use crate::json::Query;
use crate::pages::facts::time;
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User};

/// Sheets a page.
const PAGE: i32 = 20;
/// Most lines of one sheet.
const LINES: i32 = 100;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Filter {
    office_id: Option<String>,
    page_token: String,
}

struct Drawn {
    number: String,
    created: String,
    lines: usize,
    address: String,
    file: String,
}

#[derive(Template)]
#[template(path = "office_sheets.html")]
struct SheetsPage<'page> {
    frame: &'page Frame,
    at: &'static str,
    office_id: &'page str,
    places: &'page [Workplace],
    /// How many documents wait for a sheet; `100+` where one sheet does not hold them.
    waiting: String,
    any: bool,
    sheets: Vec<Drawn>,
    next: Option<String>,
    request_id: String,
}

#[derive(Template)]
#[template(path = "office_sheet.html")]
struct SheetPage<'page> {
    frame: &'page Frame,
    at: &'static str,
    file: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NewSheetForm {
    request_id: String,
    office_id: String,
    /// One line; all that wait where empty.
    line_id: String,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/office/batch-sheets", get(list).post(create))
        .route("/office/batch-sheets/{batch_sheet_id}", get(show))
        .route("/office/batch-sheets/{batch_sheet_id}/file", get(file))
}

/// What waits to be made from paper, and the sheets drawn up for it: where an office's daily mail leads.
async fn list(
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
    let mut office = app.clients.order_office();
    let request = pb::ListQueueRequest {
        page_size: LINES,
        office_id: office_id.clone(),
        states: vec![pb::LineState::Paid as i32],
        path: "PAPER".to_owned(),
        ..Default::default()
    };
    let queue = office.list_queue(request).await?.into_inner();
    let request = pb::ListBatchSheetsRequest {
        page_size: PAGE,
        page_token: filter.page_token,
        office_id: office_id.clone(),
    };
    let drawn = office.list_batch_sheets(request).await?.into_inner();
    let more = if queue.next_page_token.is_empty() { "" } else { "+" };
    let shown = SheetsPage {
        at: "sheets",
        waiting: format!("{}{more}", queue.entries.len()),
        any: !queue.entries.is_empty(),
        sheets: drawn.batch_sheets.iter().map(row).collect(),
        next: (!drawn.next_page_token.is_empty()).then(|| next(&office_id, &drawn.next_page_token)),
        request_id: app.ambient.uuid_v7().to_string(),
        office_id: &office_id,
        places: &places,
        frame: &frame,
    };
    Ok(page(&frame, StatusCode::OK, &shown))
}

fn row(sheet: &pb::BatchSheet) -> Drawn {
    let address = address(sheet);
    Drawn {
        number: sheet.number.clone(),
        created: time(sheet.create_time.as_ref()).unwrap_or_default(),
        lines: sheet.line_ids.len(),
        file: format!("{address}/file"),
        address,
    }
}

fn address(sheet: &pb::BatchSheet) -> String {
    format!("/office/batch-sheets/{}", percent_encode(&sheet.batch_sheet_id))
}

fn next(office_id: &str, token: &str) -> String {
    format!(
        "/office/batch-sheets?office_id={}&page_token={}",
        percent_encode(office_id),
        percent_encode(token)
    )
}

async fn create(
    State(app): State<App>,
    _: User,
    Form(form): Form<NewSheetForm>,
) -> Result<Response, Problem> {
    let request = pb::CreateBatchSheetRequest {
        request_id: form.request_id,
        office_id: form.office_id,
        line_ids: Some(form.line_id)
            .filter(|id| !id.is_empty())
            .into_iter()
            .collect(),
    };
    let answer = app.clients.order_office().create_batch_sheet(request).await?;
    let sheet = api::filled(answer.into_inner().batch_sheet)?;
    Ok(see_other(&address(&sheet)))
}

async fn show(
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path(batch_sheet_id): Path<String>,
) -> Response {
    if let Err(answer) = staff(&frame, &standing) {
        return *answer;
    }
    let shown = SheetPage {
        at: "sheets",
        file: format!("/office/batch-sheets/{}/file", percent_encode(&batch_sheet_id)),
        frame: &frame,
    };
    page(&frame, StatusCode::OK, &shown)
}

async fn file(
    State(app): State<App>,
    _: User,
    Path(batch_sheet_id): Path<String>,
) -> Result<Response, Problem> {
    order_office::production::batch_sheet(&app, batch_sheet_id).await
}
