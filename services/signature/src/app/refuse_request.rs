//! The office refuses, with a catalogued reason and a text.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, accept_request, authorise, review, write};
use crate::domain::comparison::Declared;
use crate::domain::refusal::{Level, Refusal};
use crate::domain::request::LegalisationRequest;
use crate::domain::role;
use crate::domain::state;
use crate::domain::transition::TransitionError;
use crate::store::{claims, requests};

/// Why an office refuses.
#[derive(Debug, Clone)]
pub struct Reasons {
    pub reason_code: String,
    pub text: String,
    /// Where an agent compared.
    pub declared: Option<Declared>,
}

/// Refuses the request. SUBMITTED by an agent, AGENT_ACCEPTED by an officer → REFUSED
///
/// # Errors
/// [`AppError`]: `REFUSAL_REASON_UNKNOWN`, `CLAIM_MISSING`, `FOUR_EYES`.
pub async fn refuse_request(
    app: &App,
    caller: &Caller,
    command: &Command,
    request_id: Uuid,
    reasons: Reasons,
    encode: Encode<RequestView>,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    if app.catalogue.refusal_reason(&reasons.reason_code).is_none() {
        let text = "must be a code of the catalogue";
        return Err(AppError::invalid("reason_code", "REFUSAL_REASON_UNKNOWN", text));
    }
    let prepared = idempotent::prepare(app, command, level(app, caller, request_id)).await?;
    let (mut transaction, level) = match prepared {
        Prepared::New(transaction, gathered) => (transaction, gathered),
        Prepared::Done(response) => return Ok(response),
    };
    let request = requests::lock(&mut transaction, request_id).await?;
    let request = review::visible(request, caller, request_id)?;
    review::holding_claim(&mut transaction, app, caller, request_id).await?;
    let now = app.ambient.now();
    let comparison = match (level, reasons.declared) {
        (Level::Agent, Some(declared)) => {
            Some(accept_request::comparison(&mut transaction, app, caller, request_id, declared).await?)
        }
        (Level::Officer, Some(_)) => {
            return Err(AppError::invalid(
                "comparison",
                "NOT_ALLOWED",
                "only an agent compares",
            ));
        }
        (_, None) => None,
    };
    let details = json!({ "reason_code": reasons.reason_code, "level": level.as_str() });
    let refusal = Refusal {
        reason_code: reasons.reason_code,
        text: reasons.text,
        level,
        refused_by: caller.person_id,
        refused_at: now,
    };
    let (request, fact) = request.refuse(refusal, comparison, now)?;
    write::record(&mut transaction, &app.ambient, &request, &fact).await?;
    claims::remove(&mut transaction, request_id).await?;
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "legalisation_request.refuse",
        &request,
        details,
    )
    .await?;
    let view = view::of(&mut transaction, request).await?;
    idempotent::finish(transaction, command, encode(&view)).await
}

/// The level at which the caller can refuse the request.
async fn level(app: &App, caller: &Caller, request_id: Uuid) -> Result<Level, AppError> {
    let seen = review::find_visible(app, caller, request_id).await?;
    let (level, role) = level_in_turn(&seen)?;
    review::with_role(caller, &seen, role)?;
    authorise::live_role(app, caller, seen.opening.office_id, role).await?;
    Ok(level)
}

/// At which level the request can be refused now, and the role that does it.
fn level_in_turn(request: &LegalisationRequest) -> Result<(Level, &'static str), AppError> {
    match review::role_in_turn(request.state) {
        Some(role::AGENT) => Ok((Level::Agent, role::AGENT)),
        Some(role::OFFICER) => Ok((Level::Officer, role::OFFICER)),
        _ => Err(TransitionError::State {
            state: request.state,
            command: state::Command::RefuseByAgent,
        }
        .into()),
    }
}
