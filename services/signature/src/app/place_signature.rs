//! The citizen draws a signature on the page, or shows where it already stands.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, FieldViolation};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, authorise, get_request, write};
use crate::domain::placement::{Mark, Placement, PlacementFault};
use crate::store::documents;

/// Places or moves the signature. DRAFT, SIGNATURE_PLACED → SIGNATURE_PLACED
///
/// # Errors
/// [`AppError`]: a placement that does not fit the page, or `SIGNATURE_MUST_STAND`.
pub async fn place_signature(
    app: &App,
    caller: &Caller,
    command: &Command,
    request_id: Uuid,
    etag: Option<String>,
    placement: Placement,
    encode: Encode<RequestView>,
) -> Result<Vec<u8>, AppError> {
    authorise::citizen(caller)?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let request = get_request::lock_own(&mut transaction, caller, request_id).await?;
    if etag.is_some_and(|etag| etag != request.etag()) {
        return Err(AppError::Stale);
    }
    let document_id = request.opening.document_id;
    let document = documents::find(&mut transaction, document_id)
        .await?
        .ok_or(AppError::NotFound {
            resource: "document",
            id: document_id,
        })?;
    placement
        .check(&document)
        .map_err(|fault| placement_error(fault, document_id))?;
    let details =
        json!({ "page_number": placement.page_number, "drawn": matches!(placement.mark, Mark::Drawn(_)) });
    let (request, fact) = request.place_signature(placement, &app.requests.lifetimes(), app.ambient.now())?;
    write::record(&mut transaction, &app.ambient, &request, &fact).await?;
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "legalisation_request.place_signature",
        &request,
        details,
    )
    .await?;
    let view = view::of(&mut transaction, request).await?;
    idempotent::finish(transaction, command, encode(&view)).await
}

fn placement_error(fault: PlacementFault, document_id: Uuid) -> AppError {
    let (field, reason) = match fault {
        PlacementFault::PageUnknown => ("placement.page_number", "PAGE_UNKNOWN"),
        PlacementFault::OutsidePage => ("placement.rectangle", "RECTANGLE_OUTSIDE_PAGE"),
        PlacementFault::TooSmall => ("placement.rectangle", "RECTANGLE_TOO_SMALL"),
        PlacementFault::TooLarge => ("placement.rectangle", "RECTANGLE_TOO_LARGE"),
        PlacementFault::MustStand => {
            return AppError::refused("SIGNATURE_MUST_STAND", document_id, fault.to_string());
        }
    };
    AppError::Invalid(vec![FieldViolation::new(field, reason, fault.to_string())])
}
