//! The merchant's interface.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Provider;
use super::payment::{Payment, Request, Reversal, Status};
use crate::text_message::is_e164;

type Refusal = (StatusCode, Json<Value>);

fn refusal(status: StatusCode, code: &str, message: &str) -> Refusal {
    (status, Json(json!({"code": code, "message": message})))
}

/// The merchant's key is right and the interface is not out of order.
fn admit(provider: &Provider, headers: &HeaderMap, id: &str) -> Result<(), Refusal> {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given != Some(&format!("Bearer {}", provider.0.account.key)) {
        let message = "the bearer key is missing or wrong";
        return Err(refusal(StatusCode::UNAUTHORIZED, "invalid_key", message));
    }
    if provider.mischief(id, |mischief| mischief.is_down()) {
        return Err(refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "out_of_order",
            "come back later",
        ));
    }
    Ok(())
}

fn unknown() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "unknown", "there is no such payment")
}

pub(super) async fn ask(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Json(request): Json<Request>,
) -> Result<Response, Refusal> {
    let id = request.id.clone();
    admit(&provider, &headers, &id)?;
    if !is_e164(&request.phone) {
        let message = "phone is not an E.164 number";
        return Err(refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_phone",
            message,
        ));
    }
    let letters = request.text.chars().count();
    if id.is_empty() || request.amount <= 0 || request.currency != "MAD" || !(1..=160).contains(&letters) {
        let message = "id, amount, currency or text is missing or malformed";
        return Err(refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_request",
            message,
        ));
    }
    let answer = |status: Status| (StatusCode::ACCEPTED, Json(json!({"id": id, "status": status})));
    let mut payments = provider.payments();
    if let Some(known) = payments.get(&id) {
        if known.request != request {
            let message = "another payment has this id";
            return Err(refusal(StatusCode::CONFLICT, "id_taken", message));
        }
        return Ok(answer(known.status).into_response());
    }
    let payment = Payment::new(request);
    provider.0.journal.write(super::payment::KIND, &payment);
    payments.insert(id.clone(), payment);
    drop(payments);
    provider.watch(&id);
    Ok(answer(Status::Pending).into_response())
}

pub(super) async fn look(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    admit(&provider, &headers, &id)?;
    let payments = provider.payments();
    let payment = payments.get(&id).ok_or_else(unknown)?;
    let tries = payment
        .transactions
        .iter()
        .filter(|one| one.status != Status::Expired);
    Ok(Json(json!({
        "id": id,
        "status": payment.status,
        "amount": payment.request.amount,
        "currency": payment.request.currency,
        "transactions": tries.collect::<Vec<_>>(),
        "reversals": payment.reversals,
    })))
}

pub(super) async fn reverse(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(reversal): Json<Reversal>,
) -> Result<Json<Value>, Refusal> {
    admit(&provider, &headers, &id)?;
    if provider.mischief(&id, super::control::Mischief::refuses_reversal) {
        let message = "the operator refuses";
        return Err(refusal(StatusCode::UNPROCESSABLE_ENTITY, "refused", message));
    }
    let enough = provider.with(&id, |payment| payment.reverse(&reversal));
    if !enough.ok_or_else(unknown)? {
        let message = "more than is left";
        return Err(refusal(StatusCode::UNPROCESSABLE_ENTITY, "too_much", message));
    }
    Ok(Json(json!({"id": reversal.id, "amount": reversal.amount})))
}
