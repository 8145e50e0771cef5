//! The citizen draws a signature on the page, or shows where it already stands.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Caller, FieldViolation};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, authorise, get_request, render_page, review, write};
use crate::domain::document::Document;
use crate::domain::fact::Fact;
use crate::domain::placement::{Mark, Placement, PlacementFault};
use crate::domain::request::LegalisationRequest;
use crate::store::{documents, requests};

/// What is placed where.
#[derive(Debug, Clone)]
pub struct PlaceSignature {
    pub request_id: Uuid,
    /// The state the citizen saw.
    pub etag: Option<String>,
    pub placement: Placement,
}

/// Places or moves the signature. DRAFT, SIGNATURE_PLACED → SIGNATURE_PLACED
///
/// # Errors
/// [`AppError`]: a placement that does not fit the page, `SIGNATURE_MUST_STAND`, or a page that cannot be shown.
pub async fn place_signature(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: PlaceSignature,
    encode: Encode<RequestView>,
) -> Result<Vec<u8>, AppError> {
    authorise::citizen(caller)?;
    let prepared = idempotent::prepare(app, command, show_once(app, caller, &asked)).await?;
    let mut transaction = match prepared {
        Prepared::New(transaction, ()) => transaction,
        Prepared::Done(response) => return Ok(response),
    };
    let request = get_request::lock_own(&mut transaction, caller, asked.request_id).await?;
    let document = document_of(&mut transaction, &request).await?;
    let details = json!({
        "page_number": asked.placement.page_number,
        "drawn": matches!(asked.placement.mark, Mark::Drawn(_)),
    });
    let (request, fact) = place(app, request, &document, asked)?;
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

/// Has the picture made that an agent will compare. Some files pass intake and yet cannot be shown, such as those whose forms
/// draw themselves: that is for the citizen to know now, and not for the agent after a confirmation and a fee.
async fn show_once(app: &App, caller: &Caller, asked: &PlaceSignature) -> Result<(), AppError> {
    let document = {
        let mut conn = app.pool.acquire().await?;
        let request = requests::find(&mut conn, asked.request_id).await?;
        let request = get_request::own(request, caller, asked.request_id)?;
        let document = document_of(&mut conn, &request).await?;
        // What will be turned down anyway costs no child.
        place(app, request, &document, asked.clone())?;
        document
    };
    let job = review::picture(&asked.placement);
    let render = async {
        render_page::render(app, &document, job.clone()).await?;
        Ok(())
    };
    app.pdf
        .render_once(&document.sha256, &job, Box::pin(render))
        .await
}

async fn document_of(conn: &mut PgConnection, request: &LegalisationRequest) -> Result<Document, AppError> {
    let id = request.opening.document_id;
    let resource = "document";
    documents::find(conn, id)
        .await?
        .ok_or(AppError::NotFound { resource, id })
}

fn place(
    app: &App,
    request: LegalisationRequest,
    document: &Document,
    asked: PlaceSignature,
) -> Result<(LegalisationRequest, Fact), AppError> {
    if asked.etag.is_some_and(|etag| etag != request.etag()) {
        return Err(AppError::Stale);
    }
    asked
        .placement
        .check(document)
        .map_err(|fault| placement_error(fault, document.id))?;
    let now = app.ambient.now();
    Ok(request.place_signature(asked.placement, &app.requests.lifetimes(), now)?)
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
