//! An owner wants part of what was paid given back. Only the wish is written down here; [`crate::app::work`] has it done.

use serde_json::json;
use uuid::Uuid;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::write::{self, Encode};
use crate::app::{App, AppError, authorise};
use crate::domain::book::NewRefund;
use crate::domain::refund::Refund;
use crate::store::books;

/// What is to be given back.
#[derive(Debug, Clone)]
pub struct RequestRefund {
    pub owner: String,
    pub payable_id: Uuid,
    pub owner_reference: String,
    pub amount: i64,
    pub reason_code: String,
}

/// Writes it down. The same reference again is the same refund.
///
/// # Errors
/// [`AppError::Refused`].
pub async fn request_refund(
    app: &App,
    command: &Command,
    wanted: RequestRefund,
    encode: Encode<Refund>,
) -> Result<Vec<u8>, AppError> {
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let found = books::lock(&mut transaction, wanted.payable_id).await?;
    let before = authorise::owned(found, &wanted.owner, wanted.payable_id)?;
    let mut book = before.clone();
    let new = NewRefund {
        id: app.ambient.uuid_v7(),
        owner_reference: wanted.owner_reference,
        amount: wanted.amount,
        reason_code: wanted.reason_code,
    };
    let (refund, facts) = book.request_refund(new, app.ambient.now())?;
    write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
    if !facts.is_empty() {
        let details = json!({ "refund_id": refund.id, "amount_centimes": refund.amount, "reason_code": refund.reason_code });
        write::audit(
            &mut transaction,
            &app.ambient,
            &command.principal,
            "payable.refund",
            wanted.payable_id,
            details,
        )
        .await?;
    }
    idempotent::finish(transaction, command, encode(&refund)).await
}
