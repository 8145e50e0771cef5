//! An officer sends a request back to the agents.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, authorise, review, write};
use crate::domain::role;
use crate::store::{claims, requests};

/// Sends the request back with a note. AGENT_ACCEPTED → SUBMITTED
///
/// # Errors
/// [`AppError`]: `CLAIM_MISSING`, `FOUR_EYES`.
pub async fn return_request(
    app: &App,
    caller: &Caller,
    command: &Command,
    request_id: Uuid,
    note: String,
    encode: Encode<RequestView>,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    let prepared =
        idempotent::prepare(app, command, review::live(app, caller, request_id, role::OFFICER)).await?;
    let mut transaction = match prepared {
        Prepared::New(transaction, ()) => transaction,
        Prepared::Done(response) => return Ok(response),
    };
    let request = requests::lock(&mut transaction, request_id).await?;
    let request = review::visible(request, caller, request_id)?;
    review::holding_claim(&mut transaction, app, caller, request_id).await?;
    let (request, fact) = request.send_back(caller.person_id, note, app.ambient.now())?;
    write::record(&mut transaction, &app.ambient, &request, &fact).await?;
    claims::remove(&mut transaction, request_id).await?;
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "legalisation_request.return",
        &request,
        json!({}),
    )
    .await?;
    let view = view::of(&mut transaction, request).await?;
    idempotent::finish(transaction, command, encode(&view)).await
}
