//! The first page.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;

use crate::app::App;
use crate::pages::{Frame, page};

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'page> {
    frame: &'page Frame,
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/", get(home))
}

async fn home(frame: Frame) -> Response {
    page(&frame, StatusCode::OK, &HomePage { frame: &frame })
}
