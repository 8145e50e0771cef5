//! A command is done once: its claim opens the transaction, its stored response closes it.

use sqlx::{Postgres, Transaction};
use uuid::Uuid;
use wathiq_outbox::Command;
use wathiq_outbox::idempotency::{self, Claim};

use crate::app::{App, AppError};
use crate::store::StoreError;

/// What the claim of a command found.
pub enum Begun {
    /// Not done yet: this transaction is for doing it.
    New(Transaction<'static, Postgres>),
    /// Done before: the encoded response.
    Done(Vec<u8>),
}

/// Opens the transaction of a command.
///
/// # Errors
/// [`AppError::Idempotency`] when the request id was used for another request.
pub async fn begin(app: &App, command: &Command) -> Result<Begun, AppError> {
    let mut transaction = app.pool.begin().await?;
    match idempotency::claim(&mut transaction, &app.ambient, command).await? {
        Claim::New => Ok(Begun::New(transaction)),
        Claim::Done(response) => Ok(Begun::Done(response)),
    }
}

/// What the claim of a command found that needs something from elsewhere.
pub enum Prepared<T> {
    /// Not done yet: this transaction is for doing it, with what was gathered.
    New(Transaction<'static, Postgres>, T),
    /// Done before: the encoded response.
    Done(Vec<u8>),
}

/// Gathers what a command needs from other services, unless it is done already, and then opens its transaction.
///
/// # Errors
/// What gathering fails with; [`AppError::Idempotency`] when the request id was used for another request.
pub async fn prepare<T>(
    app: &App,
    command: &Command,
    gathering: impl Future<Output = Result<T, AppError>>,
) -> Result<Prepared<T>, AppError> {
    if let Some(response) = done_before(app, command).await? {
        return Ok(Prepared::Done(response));
    }
    let gathered = match gathering.await {
        Ok(gathered) => gathered,
        // A repeat that ran at the same time may have changed what was found here: then its answer is the answer.
        Err(error) => return done_before(app, command).await?.map(Prepared::Done).ok_or(error),
    };
    match begin(app, command).await? {
        Begun::New(transaction) => Ok(Prepared::New(transaction, gathered)),
        Begun::Done(response) => Ok(Prepared::Done(response)),
    }
}

async fn done_before(app: &App, command: &Command) -> Result<Option<Vec<u8>>, AppError> {
    match begin(app, command).await? {
        Begun::New(transaction) => {
            transaction.rollback().await?;
            Ok(None)
        }
        Begun::Done(response) => Ok(Some(response)),
    }
}

/// Stores the response and commits.
///
/// # Errors
/// [`AppError`] when nothing was committed.
pub async fn finish(
    mut transaction: Transaction<'static, Postgres>,
    command: &Command,
    response: Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    idempotency::complete(&mut transaction, command, Some(&response)).await?;
    transaction.commit().await?;
    Ok(response)
}

/// The id that was stored as the answer of a command whose answer is always made anew.
///
/// # Errors
/// [`AppError::Store`] where it is none.
pub fn id_of(answer: &[u8]) -> Result<Uuid, AppError> {
    Uuid::from_slice(answer).map_err(|_| {
        AppError::Store(StoreError::Inconsistent {
            table: "idempotency",
            column: "response",
            id: Uuid::nil(),
        })
    })
}
