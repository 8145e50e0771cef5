//! The payers' phones, and what a test asks of the stand-in.

use std::sync::PoisonError;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Provider;
use super::payment::{News, Payment, Status};
use crate::faults::{Outage, strikes};
use crate::page::render;

/// What goes wrong. Counts go down with each time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mischief {
    /// How often each callback is told, all at once; once when absent, never at 0.
    callback_copies: Option<u32>,
    /// Milliseconds before a callback.
    callback_delay_ms: u64,
    /// Answers to callbacks that never arrive.
    pub(super) answers_lost: u32,
    reversals_refused: u32,
    /// Seconds from now in which the interface answers 503.
    down_seconds: u64,
    #[serde(skip)]
    outage: Outage,
}

impl Mischief {
    pub(super) fn copies(&self) -> u32 {
        self.callback_copies.unwrap_or(1)
    }

    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.callback_delay_ms)
    }

    pub(super) fn is_down(&self) -> bool {
        self.outage.lasts()
    }

    pub(super) fn refuses_reversal(&mut self) -> bool {
        strikes(&mut self.reversals_refused)
    }
}

#[derive(Template)]
#[template(path = "text_payments.html")]
struct Phones {
    payments: Vec<Payment>,
    now: DateTime<Utc>,
}

/// The payer's answer.
#[derive(Debug, Deserialize)]
pub(super) struct Given {
    /// `confirmed`, `declined` or `expired`.
    answer: Status,
}

pub(super) async fn page(State(provider): State<Provider>) -> Response {
    let payments = provider.payments().values().rev().cloned().collect();
    let now = crate::now();
    render(StatusCode::OK, &Phones { payments, now })
}

/// The payer presses a button, which the phone shows as long as the payment is open.
pub(super) async fn answer_on_page(
    State(provider): State<Provider>,
    Path(id): Path<String>,
    Form(given): Form<Given>,
) -> Response {
    let now = crate::now();
    let said = provider.with(&id, |payment| {
        payment.is_open(now).then(|| payment.answer(given.answer))
    });
    match said {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(None) => StatusCode::CONFLICT.into_response(),
        Some(Some(news)) => {
            provider.tell(&id, &news).await;
            Redirect::to("/text-payments").into_response()
        }
    }
}

/// The same, whatever was answered before: late, twice, or after the end.
pub(super) async fn answer(
    State(provider): State<Provider>,
    Path(id): Path<String>,
    Json(given): Json<Given>,
) -> StatusCode {
    let Some(news) = provider.with(&id, |payment| payment.answer(given.answer)) else {
        return StatusCode::NOT_FOUND;
    };
    provider.tell(&id, &news).await;
    StatusCode::NO_CONTENT
}

/// Tells the newest answer once more.
pub(super) async fn callback(State(provider): State<Provider>, Path(id): Path<String>) -> StatusCode {
    let newest = |payment: &Payment| {
        let newest = payment.transactions.last()?;
        Some(News {
            status: newest.status,
            transaction: newest.transaction.clone(),
            code: newest.status.code(),
        })
    };
    let Some(news) = provider.payments().get(&id).and_then(newest) else {
        return StatusCode::NOT_FOUND;
    };
    provider.tell(&id, &news).await;
    StatusCode::NO_CONTENT
}

pub(super) async fn faults(State(provider): State<Provider>, Json(mischief): Json<Mischief>) -> StatusCode {
    set(&provider, None, mischief)
}

/// The payment need not have come yet.
pub(super) async fn faults_of_one(
    State(provider): State<Provider>,
    Path(id): Path<String>,
    Json(mischief): Json<Mischief>,
) -> StatusCode {
    set(&provider, Some(&id), mischief)
}

fn set(provider: &Provider, id: Option<&str>, mut mischief: Mischief) -> StatusCode {
    mischief.outage = Outage::of(mischief.down_seconds);
    let mut faults = provider.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
    faults.set(id, mischief);
    StatusCode::NO_CONTENT
}
