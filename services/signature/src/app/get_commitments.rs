//! The salt and commitments of a sealed document, for its holder: with them the events about it can be recognised.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise, get_request};
use crate::domain::commitment::Salt;
use crate::domain::intent::IntentState;
use crate::domain::revision::SealedRevision;
use crate::store::{intents, requests, revisions};

/// What opens the commitments on the event stream.
pub struct Commitments {
    pub salt: Salt,
    pub revisions: Vec<SealedRevision>,
}

/// The salt and commitments of the caller's own sealed request.
///
/// # Errors
/// [`AppError`]; refused with `NOT_SEALED` before the seal is complete.
pub async fn get_commitments(app: &App, caller: &Caller, request_id: Uuid) -> Result<Commitments, AppError> {
    authorise::citizen(caller)?;
    let mut conn = app.pool.acquire().await?;
    get_request::own(requests::find(&mut conn, request_id).await?, caller, request_id)?;
    let intent = intents::standing(&mut conn, request_id).await?;
    let Some(intent) = intent.filter(|intent| intent.state == IntentState::Sealed) else {
        return Err(AppError::refused(
            "NOT_SEALED",
            request_id,
            "the request is not sealed yet",
        ));
    };
    let revisions = revisions::of_intent(&mut conn, intent.id).await?;
    Ok(Commitments {
        salt: intent.salt,
        revisions,
    })
}
