//! An officer gives up an intent that cannot be finished: its register entry stays, annulled with reason, officer and date.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::seal_problem::intent_reason;
use crate::app::view::Encode;
use crate::app::{App, AppError, authorise, write};
use crate::domain::intent::IntentState;
use crate::domain::register::{ANNULMENT_REASON, Annulment, RegisterEntry};
use crate::domain::role::OFFICER;
use crate::store::{StoreError, intents, register, requests};

/// Annuls. AWAITING_SIGNATURE → AGENT_ACCEPTED
///
/// # Errors
/// [`AppError`]; not by the applicant, and not while a signature waits for its time-stamp.
pub async fn annul_intent(
    app: &App,
    caller: &Caller,
    command: &Command,
    intent_id: Uuid,
    reason: String,
    encode: Encode<RegisterEntry>,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    if !ANNULMENT_REASON.contains(&reason.chars().count()) {
        return Err(AppError::invalid(
            "reason",
            "LENGTH",
            "must have 10 to 2,000 characters",
        ));
    }
    let (office_id, request_id) = visible(app, caller, intent_id).await?;
    authorise::live_role(app, caller, office_id, OFFICER).await?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let now = app.ambient.now();
    let request = requests::lock(&mut transaction, request_id).await?;
    let request = request.ok_or(AppError::request_not_found(request_id))?;
    let intent = intents::lock(&mut transaction, intent_id).await?;
    let intent = intent.ok_or(AppError::NotFound {
        resource: "seal_intent",
        id: intent_id,
    })?;
    intent
        .may_annul(caller.person_id)
        .map_err(|error| AppError::refused(intent_reason(error), intent_id, error.to_string()))?;
    let (request, fact) = request.annul_intent(intent_id, intent.register, now)?;
    intents::end(&mut transaction, intent_id, IntentState::Annulled).await?;
    let annulment = Annulment {
        reason,
        officer_id: caller.person_id,
        at: now,
    };
    register::end(&mut transaction, intent_id, Some(&annulment)).await?;
    write::record(&mut transaction, &app.ambient, &request, &fact).await?;
    let details = json!({ "intent_id": intent_id });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "seal.annul",
        &request,
        details,
    )
    .await?;
    let entry = register::of_intent(&mut transaction, intent_id)
        .await?
        .ok_or(StoreError::Inconsistent {
            table: "register_entry",
            column: "intent_id",
            id: intent_id,
        })?;
    idempotent::finish(transaction, command, encode(&entry)).await
}

async fn visible(app: &App, caller: &Caller, intent_id: Uuid) -> Result<(Uuid, Uuid), AppError> {
    let mut conn = app.pool.acquire().await?;
    let intent = intents::find(&mut conn, intent_id).await?;
    intent
        .filter(|intent| caller.holds(intent.office_id, OFFICER))
        .map(|intent| (intent.office_id, intent.request_id))
        .ok_or(AppError::NotFound {
            resource: "seal_intent",
            id: intent_id,
        })
}
