//! An official takes a request to work on it.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::list_queue::Entry;
use crate::app::view::{self, Encode};
use crate::app::{App, AppError, authorise, review, write};
use crate::domain::state;
use crate::domain::transition::TransitionError;
use crate::store::claims::{self, Claim};
use crate::store::requests;

/// Claims a request, or renews the caller's own claim. SUBMITTED for agents, AGENT_ACCEPTED for officers.
///
/// # Errors
/// [`AppError`]: `CLAIMED_BY_OTHER`, `FOUR_EYES`, `ROLE_MISSING`.
pub async fn claim_request(
    app: &App,
    caller: &Caller,
    command: &Command,
    request_id: Uuid,
    encode: Encode<Entry>,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let request = requests::lock(&mut transaction, request_id).await?;
    let request = review::visible(request, caller, request_id)?;
    let Some(role) = review::role_in_turn(request.state) else {
        let error = TransitionError::State {
            state: request.state,
            command: state::Command::Accept,
        };
        return Err(error.into());
    };
    review::with_role(caller, &request, role)?;
    review::four_eyes(caller, &request)?;
    let now = app.ambient.now();
    if claims::held_by_other(&mut transaction, request_id, caller.person_id, now).await? {
        return Err(AppError::refused(
            "CLAIMED_BY_OTHER",
            request_id,
            "somebody else works on the request",
        ));
    }
    let lapses_at = now + app.requests.claim();
    claims::take(&mut transaction, request_id, caller.person_id, now, lapses_at).await?;
    let details = json!({ "role": role });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "legalisation_request.claim",
        &request,
        details,
    )
    .await?;
    let claim = Claim {
        person_id: caller.person_id,
        lapses_at,
    };
    let entry = Entry {
        view: view::of(&mut transaction, request).await?,
        claim: Some(claim),
    };
    idempotent::finish(transaction, command, encode(&entry)).await
}
