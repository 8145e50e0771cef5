//! An official gives a claim back.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, review, write};
use crate::store::{claims, requests};

/// Gives the caller's claim back; one that has lapsed or is somebody else's is left as it is.
///
/// # Errors
/// [`AppError`].
pub async fn release_claim(
    app: &App,
    caller: &Caller,
    command: &Command,
    request_id: Uuid,
    response: Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let request = requests::lock(&mut transaction, request_id).await?;
    let request = review::visible(request, caller, request_id)?;
    let claim = claims::standing(&mut transaction, request_id, app.ambient.now()).await?;
    if claim.is_some_and(|claim| claim.person_id == caller.person_id) {
        claims::remove(&mut transaction, request_id).await?;
        write::audit(
            &mut transaction,
            &app.ambient,
            caller,
            "legalisation_request.release",
            &request,
            json!({}),
        )
        .await?;
    }
    idempotent::finish(transaction, command, response).await
}
