//! The payer sets out to a provider.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::write::{self, Encode};
use crate::app::{App, AppError, authorise, prompts};
use crate::domain::attempt::{Attempt, AttemptState, order_id};
use crate::domain::book::Book;
use crate::domain::provider::{Act, Outcome, Provider};
use crate::domain::refusal::Refusal;
use crate::providers::{Driver, Next};
use crate::store::books;

/// Shortest time in which somebody can pay (the provider's lower bound of a session).
const SHORTEST: TimeDelta = TimeDelta::seconds(30);

/// What the payer wants.
#[derive(Debug, Clone)]
pub struct StartAttempt {
    pub payable_id: Uuid,
    pub provider: Provider,
    pub language: String,
    /// Empty where the provider needs none.
    pub phone: String,
}

/// An attempt with what the payer does next.
pub struct Started {
    pub attempt: Attempt,
    pub next: Next,
}

/// Starts an attempt under an order id of its own; where too many pages are open, the latest is taken again. Where the provider is told
/// of it (text message), that comes after the commit; a repeat of the command tells it again, and so does the worker.
///
/// # Errors
/// [`AppError::Refused`]; [`AppError::Provider`] when the provider could not be told: worth repeating.
pub async fn start_attempt(
    app: &App,
    caller: &Caller,
    command: &Command,
    wanted: StartAttempt,
    encode: Encode<Started>,
) -> Result<Vec<u8>, AppError> {
    let driver = app.providers.get(wanted.provider).ok_or_else(|| {
        AppError::invalid(
            "provider",
            "PROVIDER_UNKNOWN",
            "must be one of the options of the payment",
        )
    })?;
    let (payable_id, provider) = (wanted.payable_id, wanted.provider);
    let response = match idempotent::begin(app, command).await? {
        Begun::Done(response) => response,
        Begun::New(mut transaction) => {
            let found = books::lock(&mut transaction, payable_id).await?;
            let before = authorise::payers(found, caller, payable_id)?;
            let mut book = before.clone();
            let now = app.ambient.now();
            book.may_start(provider, now)?;
            if let Some(open) = book.taken_again(provider, now) {
                let (attempt, next) = (open.clone(), driver.next(&book, open));
                let response = encode(&Started { attempt, next });
                return idempotent::finish(transaction, command, response).await;
            }
            let attempt = attempt(app, &book, wanted)?;
            if provider == Provider::TextMessage {
                prompts::within_quota(&mut transaction, &book.payable, &attempt).await?;
            }
            let facts = book.start_attempt(attempt.clone(), now)?;
            let book = write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
            let next = driver.next(&book, &attempt);
            let details = json!({ "attempt_id": attempt.id, "provider": provider.as_str() });
            let principal = &command.principal;
            let action = "payable.start_attempt";
            write::audit(
                &mut transaction,
                &app.ambient,
                principal,
                action,
                payable_id,
                details,
            )
            .await?;
            let response = encode(&Started { attempt, next });
            idempotent::finish(transaction, command, response).await?
        }
    };
    if provider == Provider::TextMessage {
        tell(app, driver, payable_id).await?;
    }
    Ok(response)
}

fn attempt(app: &App, book: &Book, wanted: StartAttempt) -> Result<Attempt, AppError> {
    let now = app.ambient.now();
    book.may_start(wanted.provider, now)?;
    let session = app
        .sessions
        .at(wanted.provider)
        .min(book.payable.expires_at - now);
    // Whole seconds: the provider counts in them.
    let session = TimeDelta::seconds(session.num_seconds());
    if session < SHORTEST {
        return Err(Refusal::Expired.into());
    }
    let (id, expires_at) = (app.ambient.uuid_v7(), now + session);
    // What must be told is looked at as soon as the telling should be over.
    let due_at = match wanted.provider {
        Provider::Cmi => expires_at + app.policy.margin,
        Provider::TextMessage => now + app.policy.poll,
    };
    Ok(Attempt {
        id,
        provider: wanted.provider,
        order_id: order_id(id),
        state: AttemptState::Started,
        language: wanted.language,
        phone: wanted.phone,
        decline_code: String::new(),
        declines: 0,
        international: None,
        created_at: now,
        expires_at,
        told_at: None,
        returned_at: None,
        authorisation: None,
        capture_refusals: 0,
        captured_at: None,
        due_at: Some(due_at),
        tries: 0,
    })
}

/// Tells the provider of the attempt that it has not heard of; there is one at most.
async fn tell(app: &App, driver: &Arc<dyn Driver>, payable_id: Uuid) -> Result<(), AppError> {
    let book = {
        let mut conn = app.pool.acquire().await?;
        books::find(&mut conn, payable_id).await?
    };
    let untold = |attempt: &&Attempt| {
        attempt.provider == Provider::TextMessage
            && attempt.state == AttemptState::Started
            && attempt.told_at.is_none()
            && attempt.expires_at > app.ambient.now()
    };
    let Some(book) = book else { return Ok(()) };
    let Some(attempt) = book.attempts.iter().find(untold) else {
        return Ok(());
    };
    let outcome = driver.act(&book, attempt, &Act::Tell).await;
    told(app, payable_id, attempt.id, outcome).await?;
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::Refused => Err(AppError::invalid(
            "phone",
            "PHONE_REFUSED",
            "the provider does not reach this number: give another, or pay by card",
        )),
        Outcome::Unknown => Err(AppError::Provider {
            provider: Provider::TextMessage,
            source: None,
        }),
    }
}

async fn told(app: &App, payable_id: Uuid, attempt_id: Uuid, outcome: Outcome) -> Result<(), AppError> {
    let mut transaction = app.pool.begin().await?;
    if let Some(before) = books::lock(&mut transaction, payable_id).await? {
        let mut book = before.clone();
        let facts = book.acted(attempt_id, &Act::Tell, outcome, app.ambient.now(), &app.policy);
        write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
    }
    transaction.commit().await?;
    Ok(())
}
