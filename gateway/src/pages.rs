use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi;

use crate::app::App;
use crate::language::Language;
use crate::problem::ProblemDocument;

pub fn router(_: &OpenApi) -> Router<App> {
    Router::new()
}
pub fn language(request: &Request) -> Language {
    Language::negotiate(request.headers())
}
pub fn is_page(path: &str) -> bool {
    !path.starts_with("/v1/")
}
pub fn problem(_: Language, document: &ProblemDocument) -> Response {
    document.detail.clone().into_response()
}
