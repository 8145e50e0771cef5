//! A provider of text messages: an HTTP interface with a bearer key, as providers have it, and an inbox to read in a
//! browser what would have reached the phones.

mod inbox;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The oldest message is forgotten beyond this many.
const KEPT: usize = 10_000;
/// GSM 03.38 concatenation ends at 255 parts; providers refuse long before. Ten parts of 67 UCS-2 characters.
const MAX_CHARACTERS: usize = 670;

/// The provider's account and what it was asked to send.
#[derive(Clone)]
pub struct Provider {
    key: Arc<str>,
    messages: Arc<Mutex<VecDeque<Message>>>,
}

/// A message as the provider took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: Uuid,
    /// E.164.
    pub to: String,
    pub from: String,
    pub text: String,
    /// The sender's own reference; sending one again answers the first message.
    pub reference: Option<String>,
    pub accepted_at: DateTime<Utc>,
    pub status: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Submission {
    to: String,
    from: String,
    text: String,
    reference: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Filter {
    to: Option<String>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    code: &'static str,
    message: &'static str,
}

impl Provider {
    /// A provider whose one account holds `key`.
    pub fn new(key: &str) -> Self {
        Self {
            key: key.into(),
            messages: Arc::default(),
        }
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/v1/messages", post(submit).get(list).delete(clear))
            .route("/inbox", get(inbox::page))
            .with_state(self)
    }

    fn messages(&self) -> MutexGuard<'_, VecDeque<Message>> {
        // A list of whole messages has no half-done state that a panic could leave behind.
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn newest_first(&self, filter: &Filter) -> Vec<Message> {
        let matches = |message: &&Message| filter.to.as_ref().is_none_or(|to| *to == message.to);
        self.messages().iter().rev().filter(matches).cloned().collect()
    }
}

async fn submit(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Json(submission): Json<Submission>,
) -> Response {
    if !authorised(&headers, &provider.key) {
        return refuse(
            StatusCode::UNAUTHORIZED,
            "invalid_key",
            "the bearer key is missing or wrong",
        );
    }
    if !is_e164(&submission.to) {
        return refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_recipient",
            "to is not an E.164 number",
        );
    }
    if submission.text.is_empty() || submission.text.chars().count() > MAX_CHARACTERS {
        return refuse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_text",
            "text is empty or longer than ten parts",
        );
    }
    let mut messages = provider.messages();
    let same = |message: &&Message| message.reference.is_some() && message.reference == submission.reference;
    if let Some(first) = messages.iter().find(same) {
        return (StatusCode::OK, Json(first.clone())).into_response();
    }
    let message = Message {
        id: Uuid::now_v7(),
        to: submission.to,
        from: submission.from,
        text: submission.text,
        reference: submission.reference,
        accepted_at: DateTime::from(std::time::SystemTime::now()),
        status: "accepted".into(),
    };
    messages.push_back(message.clone());
    if messages.len() > KEPT {
        messages.pop_front();
    }
    (StatusCode::ACCEPTED, Json(message)).into_response()
}

/// For tests and scripts, as a real provider's console would show it; no key, like the inbox.
async fn list(State(provider): State<Provider>, Query(filter): Query<Filter>) -> Json<Vec<Message>> {
    Json(provider.newest_first(&filter))
}

async fn clear(State(provider): State<Provider>) -> StatusCode {
    provider.messages().clear();
    StatusCode::NO_CONTENT
}

fn authorised(headers: &HeaderMap, key: &str) -> bool {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    given == Some(key)
}

/// ITU-T E.164: a plus, then at most fifteen digits, the first not zero.
pub(crate) fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn refuse(status: StatusCode, code: &'static str, message: &'static str) -> Response {
    (status, Json(Refusal { code, message })).into_response()
}
