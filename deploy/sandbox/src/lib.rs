//! Stand-ins for the platform's partners that speak the partners' own protocols, for demonstration and tests. Never
//! linked into a service.

pub mod text_message;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;

/// Every partner behind one listener.
pub fn router(text_messages: text_message::Provider) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to("/inbox") }))
        .merge(text_messages.router())
}
