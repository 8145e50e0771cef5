//! A citizen opens a request on a document of theirs.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, FieldViolation, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, authorise, write};
use crate::clients::identity::{IdentityError, Office};
use crate::domain::destination::{Destination, Mandatary};
use crate::domain::document::Document;
use crate::domain::kind::DocumentKind;
use crate::domain::request::{LegalisationRequest, Opening};
use crate::store::{documents, fees};

/// What the citizen asks.
#[derive(Debug, Clone)]
pub struct CreateRequest {
    pub document_id: Uuid,
    pub office_id: Uuid,
    pub kind: String,
    pub destination: ChosenDestination,
    pub mandatary: Option<Mandatary>,
}

/// A destination as chosen; an enrolled administration by its id.
#[derive(Debug, Clone)]
pub enum ChosenDestination {
    Enrolled(Uuid),
    Named(Destination),
}

/// Opens the request. → DRAFT
///
/// # Errors
/// [`AppError`]: among others `OFFICE_NOT_OPEN`, `ADMINISTRATION_NOT_ENROLLED`, a kind's own reason, `DOCUMENT_REFUSED`.
pub async fn create_request(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: CreateRequest,
    encode: Encode<RequestView>,
) -> Result<Vec<u8>, AppError> {
    authorise::citizen(caller)?;
    let prepared = idempotent::prepare(app, command, gather(app, &asked)).await?;
    let (mut transaction, destination) = match prepared {
        Prepared::New(transaction, gathered) => (transaction, gathered),
        Prepared::Done(response) => return Ok(response),
    };
    own_accepted_document(&mut transaction, caller, asked.document_id).await?;
    let now = app.ambient.now();
    let fees = fees::in_force(&mut transaction, asked.office_id, now).await?;
    let opening = Opening {
        applicant_id: caller.person_id,
        document_id: asked.document_id,
        office_id: asked.office_id,
        fee_centimes: fees.get(&asked.kind).copied().unwrap_or(0),
        kind: asked.kind,
        destination,
        mandatary: asked.mandatary,
        resubmission_of: None,
    };
    let (request, fact) =
        LegalisationRequest::open(app.ambient.uuid_v7(), opening, &app.requests.lifetimes(), now);
    write::record(&mut transaction, &app.ambient, &request, &fact).await?;
    let details =
        json!({ "document_id": request.opening.document_id, "office_id": request.opening.office_id });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "legalisation_request.create",
        &request,
        details,
    )
    .await?;
    let view = view::of(&mut transaction, request).await?;
    idempotent::finish(transaction, command, encode(&view)).await
}

/// Checks what does not depend on this service's rows, and names the destination.
async fn gather(app: &App, asked: &CreateRequest) -> Result<Destination, AppError> {
    let kind = find_kind(app, &asked.kind)?;
    check_mandatary(kind, asked.mandatary.as_ref())?;
    open_office(app, asked.office_id).await?;
    settle_destination(app, asked.destination.clone()).await
}

fn find_kind<'a>(app: &'a App, code: &str) -> Result<&'a DocumentKind, AppError> {
    let kind = app.catalogue.kind(code).ok_or_else(|| {
        AppError::invalid(
            "document_kind",
            "DOCUMENT_KIND_UNKNOWN",
            "must be a code of the catalogue",
        )
    })?;
    match &kind.refused {
        Some(refused) => Err(AppError::refused(
            refused.reason.as_str(),
            &kind.code,
            refused.text_en.clone(),
        )),
        None => Ok(kind),
    }
}

fn check_mandatary(kind: &DocumentKind, mandatary: Option<&Mandatary>) -> Result<(), AppError> {
    match (kind.needs_mandatary, mandatary) {
        (true, None) => Err(AppError::invalid(
            "mandatary",
            "REQUIRED",
            "this kind of document names the person who receives the power",
        )),
        (false, Some(_)) => Err(AppError::invalid(
            "mandatary",
            "NOT_ALLOWED",
            "this kind of document names no mandatary",
        )),
        (true, Some(_)) | (false, None) => Ok(()),
    }
}

/// The office, which must offer legalisation today.
pub(super) async fn open_office(app: &App, office_id: Uuid) -> Result<Office, AppError> {
    let office = match app.identity.office(office_id).await {
        Ok(office) => office,
        Err(IdentityError::NotFound(_)) => {
            return Err(AppError::invalid(
                "office_id",
                "OFFICE_UNKNOWN",
                "there is no such office",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    if office.offers_legalisation_on(civil_date(app.ambient.now())) {
        Ok(office)
    } else {
        Err(AppError::refused(
            "OFFICE_NOT_OPEN",
            office_id,
            "the office does not offer legalisation today",
        ))
    }
}

async fn settle_destination(app: &App, chosen: ChosenDestination) -> Result<Destination, AppError> {
    let id = match chosen {
        ChosenDestination::Named(destination) => return Ok(destination),
        ChosenDestination::Enrolled(id) => id,
    };
    match app.identity.administration(id).await {
        Ok(status) if status.enrolled_today => Ok(Destination::EnrolledAdministration(status.administration)),
        Ok(_) => Err(AppError::refused(
            "ADMINISTRATION_NOT_ENROLLED",
            id,
            "the administration is not enrolled today",
        )),
        Err(IdentityError::NotFound(_)) => Err(AppError::Invalid(vec![FieldViolation::new(
            "destination.administration_id",
            "ADMINISTRATION_UNKNOWN",
            "there is no such administration",
        )])),
        Err(error) => Err(error.into()),
    }
}

/// A document of the caller's that intake accepted.
pub(super) async fn own_accepted_document(
    conn: &mut sqlx::PgConnection,
    caller: &Caller,
    document_id: Uuid,
) -> Result<Document, AppError> {
    let document = documents::find(conn, document_id)
        .await?
        .filter(|document| document.owner_id == caller.person_id)
        .ok_or(AppError::NotFound {
            resource: "document",
            id: document_id,
        })?;
    if document.accepted().is_none() {
        return Err(AppError::refused(
            "DOCUMENT_REFUSED",
            document_id,
            "the document was refused at intake",
        ));
    }
    Ok(document)
}
