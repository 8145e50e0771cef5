//! The citizen withdraws a request.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, authorise, fees, get_request, write};
use crate::domain::state::State;
use crate::store::claims;

/// Withdraws. Any state before AWAITING_SIGNATURE → CANCELLED
///
/// # Errors
/// [`AppError`].
pub async fn cancel_request(
    app: &Arc<App>,
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
    let now = app.ambient.now();
    // Whoever has begun to work on it, has earned its fee.
    let claimed = claims::held_by_other(&mut transaction, request_id, caller.person_id, now).await?;
    let worked_on = claimed || before == State::AgentAccepted || request.return_note.is_some();
    let (request, fact) = request.cancel(now)?;
    fees::end(&mut transaction, request_id, worked_on, now).await?;
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
    let response = idempotent::finish(transaction, command, encode(&view)).await?;
    fees::ask_soon(app, request_id);
    Ok(response)
}
