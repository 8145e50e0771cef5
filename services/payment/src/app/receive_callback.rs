//! A provider tells of a try: verified, then written down with what it is answered, in one transaction.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::app::{App, AppError, refused, write};
use crate::domain::attempt::attempt_of;
use crate::domain::book::Book;
use crate::domain::provider::{Answer, Provider};
use crate::providers::{Driver, Message, Posted, Told, Unproven};
use crate::store::answers::{self, Key};
use crate::store::books;

/// Takes a message; gives the bare text that answers it. One that is not proven changes nothing.
///
/// # Errors
/// [`AppError`]: then the provider is to repeat it.
pub async fn receive_callback(
    app: &App,
    provider: Provider,
    posted: &Posted<'_>,
) -> Result<&'static str, AppError> {
    let driver = driver(app, provider)?;
    // Only a browser comes back without an amount, from a page that the payer gave up.
    let told = driver.verify(posted).and_then(|message| {
        message
            .amount
            .is_some()
            .then_some(message)
            .ok_or(Unproven::Malformed)
    });
    let message = match told {
        Ok(message) => message,
        Err(unproven) => {
            refused::trace(app, provider, None, unproven.reason()).await?;
            return Ok(driver.answer(None));
        }
    };
    let mut transaction = app.pool.begin().await?;
    let found = lock(&mut transaction, provider, &message).await?;
    let (before, attempt_id) = match found {
        Ok(found) => found,
        Err(reason) => {
            transaction.rollback().await?;
            refused::trace(app, provider, attempt_of(&message.order_id), reason).await?;
            return Ok(driver.answer(None));
        }
    };
    let key = Key {
        attempt_id,
        message: &message.key,
        success: matches!(message.outcome, Told::Success(_)),
    };
    if let Some(answer) = answers::find(&mut transaction, key).await? {
        transaction.rollback().await?;
        return Ok(known(driver.as_ref(), &answer));
    }
    let (book, facts, answer) = apply(app, &before, attempt_id, &message);
    write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
    let answer = driver.answer(Some(answer));
    answers::insert(&mut transaction, key, answer, app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(answer)
}

/// The driver of a provider by which people can pay.
pub(super) fn driver(app: &App, provider: Provider) -> Result<&std::sync::Arc<dyn Driver>, AppError> {
    app.providers.get(provider).ok_or_else(|| {
        AppError::invalid(
            "provider",
            "PROVIDER_UNKNOWN",
            "must be a provider that is in use",
        )
    })
}

/// The locked book that a proven message is about, or why there is none.
pub(super) async fn lock(
    conn: &mut PgConnection,
    provider: Provider,
    message: &Message,
) -> Result<Result<(Book, Uuid), &'static str>, AppError> {
    let Some(attempt_id) = attempt_of(&message.order_id) else {
        return Ok(Err("ORDER_UNKNOWN"));
    };
    let book = match books::id_of_attempt(conn, attempt_id).await? {
        Some(payable_id) => books::lock(conn, payable_id).await?,
        None => None,
    };
    let of_provider = |book: &Book| {
        book.attempt(attempt_id)
            .is_some_and(|attempt| attempt.provider == provider)
    };
    let Some(book) = book.filter(of_provider) else {
        return Ok(Err("ORDER_UNKNOWN"));
    };
    if message.amount.is_some_and(|amount| amount != book.payable.amount) {
        return Ok(Err("AMOUNT_DIFFERS"));
    }
    Ok(Ok((book, attempt_id)))
}

fn apply(
    app: &App,
    before: &Book,
    attempt_id: Uuid,
    message: &Message,
) -> (Book, Vec<crate::domain::fact::Fact>, Answer) {
    let (mut book, now) = (before.clone(), app.ambient.now());
    let (answer, facts) = match &message.outcome {
        Told::Success(success) => book.success(attempt_id, success, app.ambient.uuid_v7(), now, &app.policy),
        Told::Declined { code } => (Answer::Noted, book.decline(attempt_id, code)),
        Told::Over => {
            book.look_soon(attempt_id, now, &app.policy);
            (Answer::Noted, Vec::new())
        }
    };
    (book, facts, answer)
}

/// A stored answer, as one of those that the driver gives.
fn known(driver: &dyn Driver, stored: &str) -> &'static str {
    [Some(Answer::Capture), Some(Answer::Noted)]
        .into_iter()
        .map(|answer| driver.answer(answer))
        .find(|answer| *answer == stored)
        .unwrap_or_else(|| driver.answer(None))
}
