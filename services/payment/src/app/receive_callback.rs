//! A provider tells of a try: verified, then written down with what it is answered, in one transaction.

use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::app::{App, AppError, refused, write};
use crate::domain::attempt::attempt_of;
use crate::domain::book::Book;
use crate::domain::difference::{Difference, Reason};
use crate::domain::provider::{Answer, Provider};
use crate::providers::{Driver, Message, Posted, Told, Unproven};
use crate::store::answers::{self, Key};
use crate::store::{books, differences, sales};

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
    let (before, attempt_id) = match lock(&mut transaction, provider, &message).await? {
        Ok(found) => found,
        Err(refused) => {
            refuse(app, transaction, provider, refused).await?;
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

/// Why a proven message is not taken.
pub(super) struct Refused {
    reason: &'static str,
    attempt_id: Option<Uuid>,
    /// The book that it is about, where only its provider can say what is true.
    doubted: Option<Box<Book>>,
    difference: Option<Difference>,
}

/// The locked book that a proven message is about, or why it is not taken.
pub(super) async fn lock(
    conn: &mut PgConnection,
    provider: Provider,
    message: &Message,
) -> Result<Result<(Book, Uuid), Refused>, AppError> {
    let unknown = |attempt_id| Refused {
        reason: "ORDER_UNKNOWN",
        attempt_id,
        doubted: None,
        difference: None,
    };
    let Some(attempt_id) = attempt_of(&message.order_id) else {
        return Ok(Err(unknown(None)));
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
        return Ok(Err(unknown(Some(attempt_id))));
    };
    let doubted = |book: Book, reason, difference| Refused {
        reason,
        attempt_id: Some(attempt_id),
        doubted: Some(Box::new(book)),
        difference,
    };
    if message.amount.is_some_and(|amount| amount != book.payable.amount) {
        return Ok(Err(doubted(book, "AMOUNT_DIFFERS", None)));
    }
    if let Told::Success(success) = &message.outcome {
        let named = [success.transaction.as_str()];
        if !sales::claim(conn, provider, attempt_id, &named).await?.is_empty() {
            let reason = Reason::TransactionDoubled;
            let difference = Difference {
                reason,
                ours: 0,
                theirs: success.amount,
            };
            return Ok(Err(doubted(book, reason.as_str(), Some(difference))));
        }
    }
    Ok(Ok((book, attempt_id)))
}

/// Leaves a trace of a proven message that is not taken; where it contradicts our book, its provider is asked what is true.
pub(super) async fn refuse(
    app: &App,
    mut transaction: Transaction<'_, Postgres>,
    provider: Provider,
    refused: Refused,
) -> Result<(), AppError> {
    if let (Some(before), Some(attempt_id)) = (&refused.doubted, refused.attempt_id) {
        let now = app.ambient.now();
        let mut book = Book::clone(before);
        book.look_now(attempt_id, now);
        let book = write::record(&mut transaction, &app.ambient, before, book, &[]).await?;
        if let Some(difference) = refused.difference {
            let key = (book.payable.id, attempt_id);
            differences::replace(&mut transaction, key, &[], &[difference], now).await?;
        }
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    refused::trace(app, provider, refused.attempt_id, refused.reason).await
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
