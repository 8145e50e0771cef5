//! The inbox page.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::{Filter, Message, Provider};

#[derive(Template)]
#[template(path = "inbox.html")]
struct Inbox {
    messages: Vec<Message>,
}

pub(super) async fn page(State(provider): State<Provider>, Query(filter): Query<Filter>) -> Response {
    match (Inbox {
        messages: provider.newest_first(&filter),
    })
    .render()
    {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "the inbox page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
