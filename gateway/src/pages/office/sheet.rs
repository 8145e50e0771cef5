//! Batch sheets: drawn up from the queue, printed, worked through in the register room.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::staff;
use crate::api::{self, order_office, percent_encode};
use crate::app::App;
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User};

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
        .route("/office/batch-sheets", post(create))
        .route("/office/batch-sheets/{batch_sheet_id}", get(show))
        .route("/office/batch-sheets/{batch_sheet_id}/file", get(file))
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
    Ok(see_other(&format!(
        "/office/batch-sheets/{}",
        percent_encode(&sheet.batch_sheet_id)
    )))
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
        at: "queue",
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
