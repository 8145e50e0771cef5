//! The receipt of a payment: PDF/A in Arabic and French, drawn from what was written down at the payment.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_documents::{Standard, Template};

use crate::app::{App, AppError, get_payable};
use crate::config::ReceiptConfig;
use crate::domain::attempt::Attempt;
use crate::domain::book::Book;
use crate::domain::money;
use crate::domain::payable::{Payment, ReceiptNumber};
use crate::domain::refusal::Refusal;

static TEMPLATE: LazyLock<Template> =
    LazyLock::new(|| Template::new("receipt.typ", include_str!("../../templates/receipt.typ")));

/// A receipt as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub file_name: String,
    pub pdf: Vec<u8>,
}

/// Draws the receipt for its payer. The same payment always gives the same bytes.
///
/// # Errors
/// [`AppError::Refused`] before it is paid.
pub async fn download_receipt(app: &App, caller: &Caller, payable_id: Uuid) -> Result<Receipt, AppError> {
    let book = get_payable::of_payer(app, caller, payable_id).await?;
    let (Some(payment), Some(attempt)) = (book.payable.payment, book.paying()) else {
        return Err(Refusal::NotPaid.into());
    };
    let number = payment.receipt.ok_or(Refusal::NotPaid)?;
    let data = data(&book, &payment, number, attempt, &app.receipt);
    let _turn = app.drawing.acquire().await.map_err(|_| AppError::WorkLost)?;
    let engine = Arc::clone(&app.engine);
    let identifier = format!("receipt:{number}:{payable_id}");
    let drawn = tokio::task::spawn_blocking(move || {
        engine.render(&TEMPLATE, &data, &[], Standard::A2a, payment.at, &identifier)
    });
    let pdf = drawn
        .await
        .map_err(|_| AppError::WorkLost)?
        .map_err(AppError::Receipt)?;
    Ok(Receipt {
        file_name: format!("receipt-{number}.pdf"),
        pdf,
    })
}

/// What the template prints; its head comment says what each key is.
fn data(
    book: &Book,
    payment: &Payment,
    number: ReceiptNumber,
    attempt: &Attempt,
    issuer: &ReceiptConfig,
) -> Value {
    let payable = &book.payable;
    let local = payment.at.with_timezone(&chrono_tz::Africa::Casablanca);
    let items: Vec<Value> = payable
        .items
        .iter()
        .map(|item| {
            json!({
                "reference": item.reference,
                "label": { "fr": item.label_fr, "ar": item.label_ar },
                "amount": money::text(item.amount),
            })
        })
        .collect();
    json!({
        "issuer": { "fr": issuer.issuer_fr, "ar": issuer.issuer_ar },
        "number": number.to_string(),
        "date": civil_date(payment.at).to_string(),
        "time": local.format("%H:%M").to_string(),
        "payer": payable.payer.name,
        "reference": payable.shown_reference(),
        "items": items,
        "total": money::text(payable.amount),
        "payment": {
            "provider": attempt.provider.as_str(),
            "order": attempt.order_id,
            "transaction": attempt.authorisation.as_ref().map(|authorisation| &authorisation.transaction),
        },
    })
}
