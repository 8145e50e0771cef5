//! What follows from what payment tells, in the transaction that notes its event.

use chrono::{DateTime, Datelike, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Ambient, civil_date};
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::{AppError, write};
use crate::config::RequestSettings;
use crate::domain::fee_payment::FeePayment;
use crate::domain::receipt::{self, Receipt};
use crate::domain::request::LegalisationRequest;
use crate::domain::state::State;
use crate::store::fee_payments::{self, Told};
use crate::store::{receipts, requests};

/// A payment has come. AWAITING_PAYMENT → SUBMITTED; what has ended meanwhile is given back. A repeat changes nothing.
///
/// # Errors
/// [`AppError::NotFound`] for a request that has no fee.
pub async fn paid(
    conn: &mut PgConnection,
    ambient: &Ambient,
    settings: &RequestSettings,
    request_id: Uuid,
    payable_id: Uuid,
) -> Result<(), AppError> {
    let now = ambient.now();
    let Some(request) = requests::lock(conn, request_id).await? else {
        return Err(AppError::request_not_found(request_id));
    };
    let Some(payment) = fee_payments::lock(conn, request_id).await? else {
        return Err(AppError::request_not_found(request_id));
    };
    if payment.paid_at.is_some() {
        return Ok(());
    }
    let next = FeePayment::after_payment(request.state);
    fee_payments::save_paid(conn, request_id, payable_id, next, now).await?;
    if request.state == State::AwaitingPayment {
        let receipt = receipt_of(conn, settings, &request, &payment, now).await?;
        submit(conn, ambient, request, receipt, payable_id).await?;
    }
    Ok(())
}

async fn receipt_of(
    conn: &mut PgConnection,
    settings: &RequestSettings,
    request: &LegalisationRequest,
    payment: &FeePayment,
    now: DateTime<Utc>,
) -> Result<Receipt, AppError> {
    let today = civil_date(now);
    let sequence = receipts::next(conn, request.opening.office_id, today.year()).await?;
    Ok(Receipt {
        number: receipt::number(&payment.office_code, today.year(), sequence),
        submitted_at: now,
        expected_on: receipt::expected_on(today, settings.expected_working_days, &settings.holidays),
    })
}

async fn submit(
    conn: &mut PgConnection,
    ambient: &Ambient,
    request: LegalisationRequest,
    receipt: Receipt,
    payable_id: Uuid,
) -> Result<(), AppError> {
    let (request, fact) = request.submit(receipt, ambient.now())?;
    write::record(conn, ambient, &request, &fact).await?;
    let entry = AuditEntry {
        person_id: None,
        principal: &write::service("payment"),
        action: "legalisation_request.submit",
        aggregate: "legalisation_request",
        aggregate_id: request.id,
        outcome: "done",
        reason: None,
        details: json!({ "payable_id": payable_id }),
    };
    audit::record(conn, ambient, entry).await?;
    Ok(())
}

/// Nobody can pay any more, or money went back, or did not. The request ends by its own expiry.
///
/// # Errors
/// [`AppError`].
pub async fn ended(
    conn: &mut PgConnection,
    request_id: Uuid,
    told: Told,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    if told == Told::RefundFailed {
        metrics::counter!("fee_refunds_failed_total").increment(1);
        tracing::error!(event = "fee.refund_failed", request_id = %request_id, "a fee is not given back; a person must act");
    }
    Ok(fee_payments::save_told(conn, request_id, told, now).await?)
}
