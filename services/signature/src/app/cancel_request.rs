//! The citizen withdraws a request.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, authorise, get_request, write};
use crate::store::claims;

/// Withdraws. Any state before AWAITING_SIGNATURE → CANCELLED
///
/// # Errors
/// [`AppError`].
pub async fn cancel_request(
    app: &App,
    caller: &Caller,
    command: &Command,
    request_id: Uuid,
    encode: Encode<RequestView>,
) -> Result<Vec<u8>, AppError> {
    authorise::citizen(caller)?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let request = get_request::lock_own(&mut transaction, caller, request_id).await?;
    let before = request.state;
    let (request, fact) = request.cancel(app.ambient.now())?;
    write::record(&mut transaction, &app.ambient, &request, &fact).await?;
    claims::remove(&mut transaction, request_id).await?;
    let details = json!({ "state_before": before.as_str() });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "legalisation_request.cancel",
        &request,
        details,
    )
    .await?;
    let view = view::of(&mut transaction, request).await?;
    idempotent::finish(transaction, command, encode(&view)).await
}
