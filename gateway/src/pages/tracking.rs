//! Where an item of the post is, for anyone who has its number; nobody's name.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::api::civil_status::text as said;
use crate::api::tracking::state_word;
use crate::app::App;
use crate::pages::facts::time;
use crate::pages::{Frame, page};
use crate::problem::Problem;

struct Step {
    time: String,
    text: String,
    place: String,
}

#[derive(Template)]
#[template(path = "tracking.html")]
struct TrackingPage<'page> {
    frame: &'page Frame,
    number: String,
    status: String,
    steps: Vec<Step>,
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/t/{tracking_id}", get(show))
}

async fn show(
    State(app): State<App>,
    frame: Frame,
    Path(tracking_id): Path<String>,
) -> Result<Response, Problem> {
    let request = pb::TrackRequest { tracking_id };
    let answer = app.clients.tracking().track(request).await?.into_inner();
    let status = said::shipment(frame.language, state_word(answer.state()), answer.held_until);
    let step = |step: pb::TrackedStep| Step {
        time: time(step.event_time.as_ref()).unwrap_or_default(),
        text: said::shipment(frame.language, state_word(step.state()), None),
        place: step.place,
    };
    let shown = TrackingPage {
        number: answer.tracking_id.map(|id| id.value).unwrap_or_default(),
        status,
        steps: answer.steps.into_iter().map(step).collect(),
        frame: &frame,
    };
    Ok(page(&frame, StatusCode::OK, &shown))
}
