//! A provider of payments by text message: JSON over HTTP, signed messages for the test to deliver.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

pub(crate) const KEY: &str = "phone-key";
pub(crate) const SECRET: &str = "phone-secret";

#[derive(Default)]
struct Accounts {
    payments: HashMap<String, Value>,
    /// Requests for payment that came, repeats too.
    asked: usize,
    down: bool,
    refuses: bool,
}

/// The provider.
#[derive(Clone)]
pub(crate) struct FakePhone {
    accounts: Arc<Mutex<Accounts>>,
    pub(crate) address: SocketAddr,
}

impl FakePhone {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self {
            accounts: Arc::default(),
            address: listener.local_addr().unwrap(),
        };
        let router = Router::new()
            .route("/payments", post(ask))
            .route("/payments/{id}", get(found))
            .route("/payments/{id}/reversals", post(reverse))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        provider
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.accounts.lock().unwrap().down = down;
    }

    pub(crate) fn set_refuses(&self, refuses: bool) {
        self.accounts.lock().unwrap().refuses = refuses;
    }

    /// The requests that came, and the payment asked for.
    pub(crate) fn asked(&self, id: &str) -> (usize, Option<Value>) {
        let accounts = self.accounts.lock().unwrap();
        (accounts.asked, accounts.payments.get(id).cloned())
    }

    /// The payer confirms on the phone.
    pub(crate) fn confirm(&self, id: &str, transaction: &str) {
        self.confirm_of(id, transaction, 2_000);
    }

    /// The provider takes this amount.
    pub(crate) fn confirm_of(&self, id: &str, transaction: &str, amount: i64) {
        let mut accounts = self.accounts.lock().unwrap();
        let payment = accounts.payments.get_mut(id).unwrap();
        payment["status"] = json!("confirmed");
        payment["transactions"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "transaction": transaction, "amount": amount, "status": "confirmed" }));
    }

    /// What was given back: id, amount, transaction.
    pub(crate) fn reversals(&self, id: &str) -> Vec<Value> {
        let accounts = self.accounts.lock().unwrap();
        accounts.payments[id]["reversals"].as_array().unwrap().clone()
    }
}

/// A signed message.
pub(crate) fn message(
    id: &str,
    status: &str,
    transaction: &str,
    amount: i64,
    time: DateTime<Utc>,
) -> (Vec<u8>, String) {
    let code = if status == "declined" { "REFUSED" } else { "" };
    let body = json!({ "id": id, "status": status, "transaction": transaction, "code": code, "amount": amount, "currency": "MAD", "time": time });
    let body = body.to_string().into_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&body);
    let signature = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
    (body, format!("sha256={signature}"))
}

type Answer = (StatusCode, Json<Value>);

fn gate(provider: &FakePhone, headers: &HeaderMap) -> Option<Answer> {
    let accounts = provider.accounts.lock().unwrap();
    if accounts.down {
        return Some((StatusCode::SERVICE_UNAVAILABLE, Json(json!({}))));
    }
    let authorised = headers
        .get("authorization")
        .is_some_and(|value| value == &format!("Bearer {KEY}"));
    (!authorised).then(|| (StatusCode::UNAUTHORIZED, Json(json!({ "code": "invalid_key" }))))
}

async fn ask(State(provider): State<FakePhone>, headers: HeaderMap, Json(mut body): Json<Value>) -> Answer {
    if let Some(refusal) = gate(&provider, &headers) {
        return refusal;
    }
    let mut accounts = provider.accounts.lock().unwrap();
    if accounts.refuses {
        return (
            StatusCode::UNPROCESSABLE_ENTITY,
            Json(json!({ "code": "invalid_phone" })),
        );
    }
    accounts.asked += 1;
    let id = body["id"].as_str().unwrap().to_owned();
    body["status"] = json!("pending");
    body["transactions"] = json!([]);
    body["reversals"] = json!([]);
    accounts.payments.entry(id.clone()).or_insert(body);
    (
        StatusCode::ACCEPTED,
        Json(json!({ "id": id, "status": "pending" })),
    )
}

async fn found(State(provider): State<FakePhone>, headers: HeaderMap, Path(id): Path<String>) -> Answer {
    if let Some(refusal) = gate(&provider, &headers) {
        return refusal;
    }
    let accounts = provider.accounts.lock().unwrap();
    match accounts.payments.get(&id) {
        Some(payment) => (StatusCode::OK, Json(payment.clone())),
        None => (StatusCode::NOT_FOUND, Json(json!({ "code": "unknown" }))),
    }
}

async fn reverse(
    State(provider): State<FakePhone>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    if let Some(refusal) = gate(&provider, &headers) {
        return refusal;
    }
    let mut accounts = provider.accounts.lock().unwrap();
    let payment = accounts.payments.get_mut(&id).unwrap();
    let known = payment["reversals"]
        .as_array()
        .unwrap()
        .iter()
        .any(|old| old["id"] == body["id"]);
    if !known {
        for transaction in payment["transactions"].as_array_mut().unwrap() {
            if transaction["transaction"] == body["transaction"] {
                transaction["status"] = json!("reversed");
            }
        }
        payment["reversals"].as_array_mut().unwrap().push(body.clone());
    }
    (StatusCode::OK, Json(body))
}
