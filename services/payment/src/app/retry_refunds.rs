//! An administrator has refunds tried anew that the provider had refused for good.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::write::{self, Encode};
use crate::app::{App, AppError, authorise};
use crate::domain::refund::Refund;
use crate::store::books;

/// All refunds of an attempt that have failed; gives those that are tried anew.
///
/// # Errors
/// [`AppError::Denied`], [`AppError::NotFound`], [`AppError::Refused`].
pub async fn retry_refunds(
    app: &App,
    caller: &Caller,
    command: &Command,
    attempt_id: Uuid,
    encode: Encode<Vec<Refund>>,
) -> Result<Vec<u8>, AppError> {
    authorise::administrator(caller)?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let unknown = || AppError::not_found(attempt_id);
    let payable_id = books::id_of_attempt(&mut transaction, attempt_id)
        .await?
        .ok_or_else(unknown)?;
    let before = books::lock(&mut transaction, payable_id)
        .await?
        .ok_or_else(unknown)?;
    let mut book = before.clone();
    let facts = book.retry_refunds(attempt_id, app.ambient.now())?;
    let book = write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
    write::record_stuck(&mut transaction, &app.ambient, &book, attempt_id).await?;
    let retried: Vec<Refund> = book
        .refunds
        .into_iter()
        .filter(|refund| before.refunds.iter().all(|old| old != refund))
        .collect();
    let refunds: Vec<Uuid> = retried.iter().map(|refund| refund.id).collect();
    write::audit(
        &mut transaction,
        &app.ambient,
        &command.principal,
        "payable.retry_refunds",
        payable_id,
        json!({ "attempt_id": attempt_id, "refund_ids": refunds }),
    )
    .await?;
    idempotent::finish(transaction, command, encode(&retried)).await
}
