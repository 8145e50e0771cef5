//! A refused request is tried again, free of charge.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, authorise, create_request, get_request, write};
use crate::domain::request::{LegalisationRequest, Opening};
use crate::domain::state::State;
use crate::store::{StoreError, broken_constraint, requests};

/// Opens a new draft from a refused request, with the same document or a corrected one.
///
/// # Errors
/// [`AppError`]: `REQUEST_NOT_REFUSED`, or `ALREADY_RESUBMITTED` while an earlier attempt stands.
pub async fn resubmit_request(
    app: &App,
    caller: &Caller,
    command: &Command,
    request_id: Uuid,
    document_id: Option<Uuid>,
    encode: Encode<RequestView>,
) -> Result<Vec<u8>, AppError> {
    authorise::citizen(caller)?;
    let prepared = idempotent::prepare(app, command, check_office(app, caller, request_id)).await?;
    let mut transaction = match prepared {
        Prepared::New(transaction, ()) => transaction,
        Prepared::Done(response) => return Ok(response),
    };
    let refused = get_request::lock_own(&mut transaction, caller, request_id).await?;
    if refused.state != State::Refused {
        return Err(AppError::refused(
            "REQUEST_NOT_REFUSED",
            request_id,
            "only a refused request can be resubmitted",
        ));
    }
    let document_id = document_id.unwrap_or(refused.opening.document_id);
    create_request::own_accepted_document(&mut transaction, caller, document_id).await?;
    let opening = Opening {
        document_id,
        fee_centimes: 0,
        resubmission_of: Some(request_id),
        ..refused.opening.clone()
    };
    let id = app.ambient.uuid_v7();
    let (request, fact) =
        LegalisationRequest::open(id, opening, &app.requests.lifetimes(), app.ambient.now());
    write::record(&mut transaction, &app.ambient, &request, &fact)
        .await
        .map_err(|error| twice(error, request_id))?;
    let details = json!({ "resubmission_of": request_id, "document_id": document_id });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "legalisation_request.resubmit",
        &request,
        details,
    )
    .await?;
    let view = view::of(&mut transaction, request).await?;
    idempotent::finish(transaction, command, encode(&view)).await
}

/// The office of the refused request still offers legalisation.
async fn check_office(app: &App, caller: &Caller, request_id: Uuid) -> Result<(), AppError> {
    let office_id = {
        let mut conn = app.pool.acquire().await?;
        let refused = get_request::own(requests::find(&mut conn, request_id).await?, caller, request_id)?;
        refused.opening.office_id
    };
    create_request::open_office(app, office_id).await?;
    Ok(())
}

fn twice(error: AppError, request_id: Uuid) -> AppError {
    match &error {
        AppError::Store(StoreError::Database(cause))
            if broken_constraint(cause) == Some("legalisation_request_resubmission") =>
        {
            AppError::refused(
                "ALREADY_RESUBMITTED",
                request_id,
                "an earlier resubmission of this request stands",
            )
        }
        _ => error,
    }
}
