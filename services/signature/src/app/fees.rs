//! The fee of a request, paid at service payment: what is to be asked there is written down first, with what brought it about, and
//! asked after the commit, at once and again until payment answers.

pub mod told;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wathiq_chassis::CallContext;

use crate::app::{App, AppError, authorise};
use crate::clients::payment::{Opening, Payment, PaymentError};
use crate::domain::fee_payment::{FeePayment, Task};
use crate::domain::request::LegalisationRequest;
use crate::store::{fee_payments, requests};

/// What a refund is for, at payment.
const REFUND_REASON: &str = "LEGALISATION_REQUEST_ENDED";
/// How long one process keeps what is to be asked from the others; longer than a call.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How long payment may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest pause between two tries.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(60);
/// Due questions taken at once.
const BATCH: i64 = 20;
/// Pause of the job between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// Longest name that payment takes, in characters.
const LONGEST_NAME: usize = 200;

/// Writes down that a request waits for its fee, in the transaction that makes it wait.
pub(super) async fn await_payment(
    conn: &mut PgConnection,
    request: &LegalisationRequest,
    office_code: &str,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    let signer = request
        .confirmation
        .as_ref()
        .map(|confirmation| &confirmation.signer);
    let name = signer.map(|signer| format!("{} {}", signer.given_name_latin, signer.family_name_latin));
    let name = name.map(|name| name.trim().chars().take(LONGEST_NAME).collect::<String>());
    let payment = FeePayment {
        request_id: request.id,
        payer_id: request.opening.applicant_id,
        payer_name: name
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "—".to_owned()),
        centimes: request.opening.fee_centimes,
        office_code: office_code.to_owned(),
        expires_at: request.expires_at.unwrap_or(now),
        payable_id: None,
        paid_at: None,
        task: Some(Task::Open),
        attempts: 0,
    };
    Ok(fee_payments::insert(conn, &payment, now, now + LEASE).await?)
}

/// Writes down what the end of a request means for its fee, in the transaction that ends it.
pub(super) async fn end(
    conn: &mut PgConnection,
    request_id: Uuid,
    worked_on: bool,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    if let Some(payment) = fee_payments::lock(conn, request_id).await? {
        fee_payments::set_task(conn, request_id, payment.at_end(worked_on), now).await?;
    }
    Ok(())
}

/// Asks payment after a commit, beside the call that brought it about. What fails here is asked again by the job.
pub(super) fn ask_soon(app: &Arc<App>, request_id: Uuid) {
    let worker = Arc::clone(app);
    app.tasks
        .spawn(async move { ask_or_postpone(&worker, request_id).await });
}

async fn ask_or_postpone(app: &App, request_id: Uuid) {
    // A call of this service's own, in nobody's name.
    let context = CallContext::new(PATIENCE, format!("fee-{request_id}"));
    let Err(error) = context.scope(ask(app, request_id)).await else {
        return;
    };
    let cause = wathiq_chassis::status::chain(&error);
    tracing::warn!(event = "fee.not_asked", request_id = %request_id, error = cause, "payment is asked again later");
    let postponed = async {
        let mut conn = app.pool.acquire().await?;
        let Some(payment) = fee_payments::find(&mut conn, request_id).await? else {
            return Ok(());
        };
        let pause = TimeDelta::seconds(2) * 2_i32.pow(payment.attempts.clamp(0, 6).unsigned_abs());
        let until = app.ambient.now() + pause.min(LONGEST_PAUSE);
        fee_payments::postpone(&mut conn, request_id, until).await?;
        Ok::<_, AppError>(())
    };
    if let Err(error) = postponed.await {
        let error = wathiq_chassis::status::chain(&error);
        tracing::debug!(event = "fee.not_postponed", error, "the lease runs out by itself");
    }
}

/// Asks payment what is to be asked about a request and keeps the answer. Every question may be asked twice.
async fn ask(app: &App, request_id: Uuid) -> Result<(), AppError> {
    let Some(client) = &app.payment else {
        return Err(not_configured());
    };
    let payment = {
        let mut conn = app.pool.acquire().await?;
        fee_payments::find(&mut conn, request_id).await?
    };
    let Some((task, payment)) = payment.and_then(|payment| Some((payment.task?, payment))) else {
        return Ok(());
    };
    match (task, payment.payable_id) {
        (Task::Open, _) => open(app, client, payment).await,
        (Task::Cancel, Some(payable_id)) => cancel(app, client, request_id, payable_id).await,
        (Task::Refund, Some(payable_id)) => {
            let reference = payment.request_id;
            let id = stable_id("refund", request_id);
            client
                .refund(id, payable_id, reference, payment.centimes, REFUND_REASON)
                .await?;
            done(app, request_id).await
        }
        (Task::Cancel | Task::Refund, None) => done(app, request_id).await,
    }
}

/// The answer for whatever needs payment where there is none.
pub(super) fn not_configured() -> AppError {
    let text = "fees cannot be charged: this service knows no payment service";
    AppError::refused("PAYMENT_NOT_CONFIGURED", "payment", text)
}

/// The same id for every repeat of the same question.
fn stable_id(question: &str, request_id: Uuid) -> Uuid {
    authorise::derived_request_id(question, &[request_id.as_bytes()])
}

async fn open(app: &App, client: &Payment, payment: FeePayment) -> Result<(), AppError> {
    let request_id = payment.request_id;
    let opening = Opening {
        request_id: stable_id("open-payable", request_id),
        reference: request_id,
        label_ar: "رسم المصادقة على الإمضاء".to_owned(),
        label_fr: "Frais de légalisation de signature".to_owned(),
        centimes: payment.centimes,
        payer_id: payment.payer_id,
        payer_name: payment.payer_name,
        expires_at: payment.expires_at,
    };
    let payable_id = match client.open(opening).await {
        Ok(payable_id) => payable_id,
        // What has ended meanwhile needs no payable, and payment takes none that ends at once.
        Err(PaymentError::Refused(_)) if payment.expires_at <= app.ambient.now() => {
            return done(app, request_id).await;
        }
        Err(error) => return Err(error.into()),
    };
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    let request = requests::lock(&mut transaction, request_id).await?;
    let request = request.ok_or(AppError::request_not_found(request_id))?;
    let current = fee_payments::lock(&mut transaction, request_id).await?;
    if current.is_some_and(|current| current.payable_id.is_none()) {
        let next = FeePayment::after_opening(request.state);
        fee_payments::save_payable(&mut transaction, request_id, payable_id, next, now).await?;
    }
    Ok(transaction.commit().await?)
}

async fn cancel(app: &App, client: &Payment, request_id: Uuid, payable_id: Uuid) -> Result<(), AppError> {
    match client
        .cancel(stable_id("cancel-payable", request_id), payable_id)
        .await
    {
        Ok(()) => done(app, request_id).await,
        Err(PaymentError::Paid) => {
            // Paid at the last moment: given back.
            let now = app.ambient.now();
            let mut conn = app.pool.acquire().await?;
            Ok(fee_payments::save_paid(&mut conn, request_id, payable_id, Some(Task::Refund), now).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Nothing more is to be asked.
async fn done(app: &App, request_id: Uuid) -> Result<(), AppError> {
    let mut conn = app.pool.acquire().await?;
    Ok(fee_payments::set_task(&mut conn, request_id, None, app.ambient.now()).await?)
}

/// Asks payment what is due and returns how much was.
///
/// # Errors
/// [`AppError`] when the database does not answer.
pub async fn sweep(app: &App) -> Result<usize, AppError> {
    let now = app.ambient.now();
    let due = {
        let mut conn = app.pool.acquire().await?;
        fee_payments::claim_due(&mut conn, now, now + LEASE, BATCH).await?
    };
    for request_id in &due {
        ask_or_postpone(app, *request_id).await;
    }
    Ok(due.len())
}

/// Sweeps until shutdown.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    loop {
        if let Err(error) = sweep(&app).await {
            let error = wathiq_chassis::status::chain(&error);
            tracing::warn!(event = "fee.sweep_failed", error, "due fees were not looked at");
        }
        let pause = shutdown.run_until_cancelled(tokio::time::sleep(PAUSE));
        if pause.await.is_none() {
            return;
        }
    }
}
