//! What the citizen confirms.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise, get_request};
use crate::domain::confirmation_subject::ConfirmationSubject;
use crate::domain::request::LegalisationRequest;
use crate::domain::state::{Command, State};
use crate::domain::transition::TransitionError;
use crate::store::{documents, requests};

/// The subject of the confirmation as things stand.
///
/// # Errors
/// [`AppError`]: `SPECIMEN_MISSING` without a specimen that counts.
pub async fn confirmation_subject(
    app: &App,
    caller: &Caller,
    request_id: Uuid,
) -> Result<ConfirmationSubject, AppError> {
    authorise::citizen(caller)?;
    Ok(present(app, caller, request_id).await?.1)
}

/// The request as it stands and what is to be confirmed of it.
pub(super) async fn present(
    app: &App,
    caller: &Caller,
    request_id: Uuid,
) -> Result<(LegalisationRequest, ConfirmationSubject), AppError> {
    let (request, document_sha256) = {
        let mut conn = app.pool.acquire().await?;
        let request = get_request::own(requests::find(&mut conn, request_id).await?, caller, request_id)?;
        let document_id = request.opening.document_id;
        let document = documents::find(&mut conn, document_id)
            .await?
            .ok_or(AppError::NotFound {
                resource: "document",
                id: document_id,
            })?;
        (request, document.sha256)
    };
    let placement = match (request.state, &request.placement) {
        (State::SignaturePlaced, Some(placement)) => placement.clone(),
        (state, _) => {
            return Err(TransitionError::State {
                state,
                command: Command::Confirm,
            }
            .into());
        }
    };
    let specimen_version = app.identity.counting_specimen().await?.ok_or_else(|| {
        AppError::refused(
            "SPECIMEN_MISSING",
            caller.person_id,
            "there is no specimen proved at an office yet",
        )
    })?;
    let office_id = request.opening.office_id;
    let subject = ConfirmationSubject {
        request_id,
        document_sha256,
        placement,
        specimen_version,
        office_id,
    };
    Ok((request, subject))
}
