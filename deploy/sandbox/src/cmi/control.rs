//! What a test asks of the stand-in.

use std::sync::PoisonError;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::order::{Order, Outcome};
use super::{Cmi, cards};
use crate::faults::{Outage, strikes};

/// How long the bank of the time-out card says nothing where a test has not said.
const BANK_DELAY: Duration = Duration::from_secs(2);

/// What goes wrong. Counts go down with each time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mischief {
    /// How often each callback is told, all at once; once when absent, never at 0.
    callback_copies: Option<u32>,
    /// Milliseconds before a callback; the browser does not wait for it then.
    callback_delay_ms: u64,
    /// Answers to callbacks that never arrive.
    pub(super) answers_lost: u32,
    /// Milliseconds in which the bank of the time-out card says nothing; two seconds when absent.
    bank_delay_ms: Option<u64>,
    /// Whether it has approved after all.
    bank_approves_late: bool,
    captures_refused: u32,
    voids_refused: u32,
    credits_refused: u32,
    /// Calls of the XML interface that get HTTP 500 and do nothing.
    pub(super) api_errors: u32,
    /// Calls of the XML interface that get no answer.
    pub(super) api_silences: u32,
    /// Whether what gets no answer is done all the same.
    pub(super) silent_acts_done: bool,
    /// Seconds from now in which everything answers 503.
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

    /// How long the bank of the time-out card says nothing, and how the try ends then.
    pub(super) fn silence(&self) -> (Duration, Outcome) {
        let delay = self.bank_delay_ms.map_or(BANK_DELAY, Duration::from_millis);
        let outcome = match self.bank_approves_late {
            true => Outcome::approved(),
            false => Outcome::unanswered(),
        };
        (delay, outcome)
    }

    /// Whether an act of the XML interface is refused this time.
    pub(super) fn refuses(&mut self, kind: &str) -> bool {
        match kind {
            "PostAuth" => strikes(&mut self.captures_refused),
            "Void" => strikes(&mut self.voids_refused),
            "Credit" => strikes(&mut self.credits_refused),
            _ => false,
        }
    }

    pub(super) fn is_down(&self) -> bool {
        self.outage.lasts()
    }
}

pub(super) async fn faults(State(cmi): State<Cmi>, Json(mischief): Json<Mischief>) -> StatusCode {
    set(&cmi, None, mischief)
}

/// The order need not have come yet.
pub(super) async fn faults_of_one(
    State(cmi): State<Cmi>,
    Path(oid): Path<String>,
    Json(mischief): Json<Mischief>,
) -> StatusCode {
    set(&cmi, Some(&oid), mischief)
}

fn set(cmi: &Cmi, oid: Option<&str>, mut mischief: Mischief) -> StatusCode {
    mischief.outage = Outage::of(mischief.down_seconds);
    let mut faults = cmi.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
    faults.set(oid, mischief);
    StatusCode::NO_CONTENT
}

pub(super) async fn orders(State(cmi): State<Cmi>) -> Json<Vec<Value>> {
    let mut orders: Vec<Order> = cmi.orders().values().cloned().collect();
    orders.sort_by_key(|order| std::cmp::Reverse(order.opened_at));
    Json(orders.iter().map(shown).collect())
}

pub(super) async fn order(State(cmi): State<Cmi>, Path(oid): Path<String>) -> Response {
    match cmi.orders().get(&oid) {
        Some(order) => Json(shown(order)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn shown(order: &Order) -> Value {
    let transactions = order.transactions.iter().map(|transaction| {
        json!({
            "id": transaction.id,
            "charge": transaction.charge,
            "status": transaction.status,
            "amount": transaction.amount,
            "captured": transaction.captured,
            "code": transaction.outcome.code,
        })
    });
    json!({
        "oid": order.oid,
        "amount": order.amount,
        "opened_at": order.opened_at,
        "transactions": transactions.collect::<Vec<_>>(),
        "callbacks": order.callbacks,
    })
}

/// Tells the callback of the newest try once more, whenever it is.
pub(super) async fn callback(State(cmi): State<Cmi>, Path(oid): Path<String>) -> StatusCode {
    let newest = |order: &Order| {
        let mut tries = order.transactions.iter().rev();
        tries.find(|one| one.charge == 'S').cloned()
    };
    let Some(transaction) = cmi.orders().get(&oid).and_then(newest) else {
        return StatusCode::NOT_FOUND;
    };
    let (over, first) = oneshot::channel();
    let told = tokio::spawn(async move { cmi.bring(&oid, &transaction, over).await });
    // A try that broke off is over too.
    let _over = first.await;
    drop(told);
    StatusCode::NO_CONTENT
}

/// Another transaction of the order is authorised and told, as when a page is used twice.
pub(super) async fn second_success(State(cmi): State<Cmi>, Path(oid): Path<String>) -> StatusCode {
    let now = crate::now();
    let attempt = |order: &mut Order| order.attempt(&cards::CARDS[0], Outcome::approved(), now);
    let Some(transaction) = cmi.with(&oid, attempt) else {
        return StatusCode::NOT_FOUND;
    };
    cmi.tell(&oid, &transaction).await;
    StatusCode::NO_CONTENT
}
