//! An owner withdraws a payable.

use serde_json::json;
use uuid::Uuid;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::write::{self, Encode};
use crate::app::{App, AppError, authorise};
use crate::domain::book::Book;
use crate::store::books;

/// Withdraws. OPEN → CANCELLED; what has ended already is answered as it is.
///
/// # Errors
/// [`AppError::Refused`] when it is paid.
pub async fn cancel_payable(
    app: &App,
    command: &Command,
    owner: &str,
    payable_id: Uuid,
    encode: Encode<Book>,
) -> Result<Vec<u8>, AppError> {
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let found = books::lock(&mut transaction, payable_id).await?;
    let before = authorise::owned(found, owner, payable_id)?;
    let mut book = before.clone();
    let facts = book.cancel()?;
    let book = write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
    if !facts.is_empty() {
        write::audit(
            &mut transaction,
            &app.ambient,
            &command.principal,
            "payable.cancel",
            payable_id,
            json!({}),
        )
        .await?;
    }
    idempotent::finish(transaction, command, encode(&book)).await
}
