//! The gateway: the HTTP API for programs and the pages for people, in front of the services.
//!
//! Deliberately absent: business rules. Who may do what is decided by the service that owns the thing; here bodies are
//! read strictly, sessions are traded for tokens, limits are kept, and answers are written as JSON or pages.

mod api;
pub mod app;
pub mod client_address;
pub mod clients;
pub mod config;
pub mod edge;
pub mod json;
pub mod language;
mod pages;
pub mod partners;
mod patience;
pub mod problem;
pub mod quota;
pub mod serve;
pub mod session;
pub mod slots;

pub use config::Settings;
pub use serve::serve;

use app::App;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;

/// Largest body of a call that is no file, in bytes: a table of offices has 2 MiB.
const LARGEST_BODY: usize = 2 * 1024 * 1024 + 1024;

/// All routes, and the document that describes the API's.
pub fn router(app: App) -> (Router, OpenApi) {
    let (api, document) = api::router();
    let router = api
        .merge(pages::router(&document))
        .fallback(problem::no_such_address)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(axum::middleware::from_fn_with_state(app.clone(), edge::handle))
        .with_state(app);
    (router, document)
}
