//! A command is done once: its claim opens the transaction, its stored response closes it.

use sqlx::{Postgres, Transaction};
use wathiq_outbox::Command;
use wathiq_outbox::idempotency::{self, Claim};

use crate::app::{App, AppError};

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
