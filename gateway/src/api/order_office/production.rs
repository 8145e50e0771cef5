//! The office makes documents, from paper or from digitised acts, and hands parcels to the post.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::signature::v1 as signature;

use super::resource::{
    BatchSheet, ExceptionEntry, HandOver, IssuedDocument, IssuedDocumentSealing, Preparation,
    PreparedDocument, Production, Settlement,
};
use crate::api::civil_status::Parcel;
use crate::api::transfer::download::Disposition;
use crate::api::transfer::whole::whole;
use crate::api::wire::{CivilDate, Show, Tell, body};
use crate::api::{Answer, Created, Listing, ListingBody, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey, Query};
use crate::session::User;

body! {
    /// Lines for a batch sheet.
    NewBatchSheet {
        office_id: String,
        /// At most 200; all waiting ones on the paper path where empty.
        #[serde(default)]
        line_ids: Vec<String>,
    }
    /// A document made by hand.
    NewProduction {
        /// As scanned.
        line_reference: String,
        /// The officer who signed.
        officer_person_id: String,
        /// Who looked into the register; null for the caller.
        #[serde(default)]
        looked_by_person_id: Option<String>,
    }
    /// Lines whose documents are to be prepared: 1 to 200.
    DocumentsToPrepare {
        line_ids: Vec<String>,
    }
    /// Parcels for the post: 1 to 200.
    NewHandOver {
        office_id: String,
        /// As scanned.
        tracking_numbers: Vec<String>,
    }
    /// Documents to seal: 1 to 200, all of one office and one way of sealing.
    IssuedDocumentSeals {
        issued_document_ids: Vec<String>,
        /// A confirmation of exactly the documents' digests.
        confirmation_id: String,
        /// PIN of the officer's token, never stored; null for an electronic seal.
        #[serde(default)]
        pin: Option<String>,
        #[serde(default)]
        credential_id: Option<String>,
    }
}

/// Of which office.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfficeQuery {
    #[serde(default)]
    office_id: String,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

/// Of which office, and which documents.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ToSealQuery {
    #[serde(default)]
    office_id: String,
    /// Only those that name you, or nobody: nobody else may seal a document that names an officer.
    #[serde(default)]
    mine_only: bool,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

/// Of which office, and which parcels.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ParcelsQuery {
    #[serde(default)]
    office_id: String,
    /// Only those that wait for the post.
    #[serde(default)]
    waiting_only: bool,
    #[serde(default)]
    page_size: i32,
    #[serde(default)]
    page_token: String,
}

/// Of which office (all of them where none is said), and from when to when; both days are included.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SettlementQuery {
    #[serde(default)]
    office_id: String,
    #[serde(default)]
    from: Option<CivilDate>,
    #[serde(default)]
    to: Option<CivilDate>,
    /// Only kinds that this administration issues, by its name in French.
    #[serde(default)]
    issuing_administration: String,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_batch_sheet, list_batch_sheets))
        .routes(routes!(download_batch_sheet))
        .routes(routes!(record_production))
        .routes(routes!(prepare_documents, list_prepared_documents))
        .routes(routes!(list_documents_to_seal))
        .routes(routes!(seal_issued_documents))
        .routes(routes!(download_line_document))
        .routes(routes!(list_parcels))
        .routes(routes!(hand_over_parcels))
        .routes(routes!(list_exceptions))
        .routes(routes!(get_settlement))
}

/// Draws up a batch sheet, sorted by register, part, year and number.
#[utoipa::path(post, path = "/v1/office/batch-sheets", tag = "civil-status-office", request_body = NewBatchSheet, responses((status = 201, body = BatchSheet)))]
async fn create_batch_sheet(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewBatchSheet>,
) -> Answer<Created<BatchSheet>> {
    let request = pb::CreateBatchSheetRequest {
        request_id,
        office_id: body.office_id,
        line_ids: body.line_ids,
    };
    let answer = app.clients.order_office().create_batch_sheet(request).await?;
    Ok(Created(filled(answer.into_inner().batch_sheet)?.show()))
}

/// Batch sheets of an office, the latest first.
#[utoipa::path(get, path = "/v1/office/batch-sheets", tag = "civil-status-office", params(OfficeQuery), responses((status = 200, body = ListingBody<BatchSheet>)))]
async fn list_batch_sheets(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<OfficeQuery>,
) -> Answer<Listing<BatchSheet>> {
    let request = pb::ListBatchSheetsRequest {
        office_id: query.office_id,
        page_size: query.page_size,
        page_token: query.page_token,
    };
    let answer = app.clients.order_office().list_batch_sheets(request).await?;
    let page = answer.into_inner();
    Ok(Listing::new(uri, page.batch_sheets.show(), page.next_page_token))
}

/// A batch sheet as a file.
///
/// # Errors
/// The service's refusal.
pub(crate) async fn batch_sheet(app: &App, batch_sheet_id: String) -> Answer<Response> {
    let mut office = app.clients.order_office();
    let request = pb::DownloadBatchSheetRequest { batch_sheet_id };
    whole!(office.download_batch_sheet(request), Disposition::Inline)
}

/// A batch sheet to print.
#[utoipa::path(get, path = "/v1/office/batch-sheets/{batch_sheet_id}/file", tag = "civil-status-office", responses((status = 200, content_type = "application/pdf")))]
async fn download_batch_sheet(
    State(app): State<App>,
    _: User,
    Path(batch_sheet_id): Path<String>,
) -> Answer<Response> {
    batch_sheet(&app, batch_sheet_id).await
}

/// Records that a document was made by hand: a scan of the line's barcode.
#[utoipa::path(post, path = "/v1/office/productions", tag = "civil-status-office", request_body = NewProduction, responses((status = 200, body = Production)))]
async fn record_production(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewProduction>,
) -> Answer<Json<Production>> {
    let request = pb::RecordProductionRequest {
        request_id,
        line_reference: body.line_reference,
        officer_person_id: body.officer_person_id,
        looked_by_person_id: body.looked_by_person_id.tell(),
    };
    let answer = app.clients.order_office().record_production(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// Prepares documents from digitised acts.
#[utoipa::path(post, path = "/v1/office/prepared-documents", tag = "civil-status-office", request_body = DocumentsToPrepare, responses((status = 200, body = Preparation)))]
async fn prepare_documents(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<DocumentsToPrepare>,
) -> Answer<Json<Preparation>> {
    let request = pb::PrepareDocumentsRequest {
        request_id,
        line_ids: body.line_ids,
    };
    let answer = app.clients.order_office().prepare_documents(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// Documents prepared at an office, with the digests to confirm.
#[utoipa::path(get, path = "/v1/office/prepared-documents", tag = "civil-status-office", params(OfficeQuery), responses((status = 200, body = ListingBody<PreparedDocument>)))]
async fn list_prepared_documents(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<OfficeQuery>,
) -> Answer<Listing<PreparedDocument>> {
    let request = pb::ListPreparedDocumentsRequest {
        office_id: query.office_id,
        page_size: query.page_size,
        page_token: query.page_token,
    };
    let answer = app
        .clients
        .order_office()
        .list_prepared_documents(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.documents.show(), answer.next_page_token))
}

/// Documents of an office that wait for an officer's seal, oldest first.
#[utoipa::path(get, path = "/v1/office/issued-documents", tag = "seals", params(ToSealQuery), responses((status = 200, body = ListingBody<IssuedDocument>)))]
async fn list_documents_to_seal(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ToSealQuery>,
) -> Answer<Listing<IssuedDocument>> {
    let request = signature::ListIssuedDocumentsToSealRequest {
        office_id: query.office_id,
        mine_only: query.mine_only,
        page_size: query.page_size,
        page_token: query.page_token,
        ..Default::default()
    };
    let answer = app
        .clients
        .issued_documents()
        .list_issued_documents_to_seal(request)
        .await?
        .into_inner();
    Ok(Listing::new(
        uri,
        answer.issued_documents.show(),
        answer.next_page_token,
    ))
}

/// Seals prepared documents with one confirmation of exactly their digests.
#[utoipa::path(post, path = "/v1/office/issued-document-seals", tag = "seals", request_body = IssuedDocumentSeals, responses((status = 200, body = IssuedDocumentSealing)))]
async fn seal_issued_documents(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<IssuedDocumentSeals>,
) -> Answer<Json<IssuedDocumentSealing>> {
    let request = signature::SealIssuedDocumentsRequest {
        request_id,
        issued_document_ids: body.issued_document_ids,
        confirmation_id: body.confirmation_id,
        pin: body.pin.tell(),
        credential_id: body.credential_id.tell(),
    };
    let answer = app
        .clients
        .issued_documents()
        .seal_issued_documents(request)
        .await?;
    Ok(Json(answer.into_inner().show()))
}

/// The document of a line as a file.
///
/// # Errors
/// The service's refusal.
pub(crate) async fn line_document(app: &App, line_id: String) -> Answer<Response> {
    let mut office = app.clients.order_office();
    let request = pb::DownloadLineDocumentRequest { line_id };
    whole!(office.download_line_document(request), Disposition::Inline)
}

/// The document of a line, prepared or sealed, to print.
#[utoipa::path(get, path = "/v1/office/order-lines/{line_id}/document", tag = "civil-status-office", responses((status = 200, content_type = "application/pdf")))]
async fn download_line_document(
    State(app): State<App>,
    _: User,
    Path(line_id): Path<String>,
) -> Answer<Response> {
    line_document(&app, line_id).await
}

/// Parcels that wait for the post, or are on their way.
#[utoipa::path(get, path = "/v1/office/parcels", tag = "civil-status-office", params(ParcelsQuery), responses((status = 200, body = ListingBody<Parcel>)))]
async fn list_parcels(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<ParcelsQuery>,
) -> Answer<Listing<Parcel>> {
    let request = pb::ListParcelsRequest {
        office_id: query.office_id,
        page_size: query.page_size,
        page_token: query.page_token,
        waiting_only: query.waiting_only,
    };
    let answer = app
        .clients
        .order_office()
        .list_parcels(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.parcels.show(), answer.next_page_token))
}

/// Hands parcels to the post.
#[utoipa::path(post, path = "/v1/office/hand-overs", tag = "civil-status-office", request_body = NewHandOver, responses((status = 200, body = HandOver)))]
async fn hand_over_parcels(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewHandOver>,
) -> Answer<Json<HandOver>> {
    let request = pb::HandOverParcelsRequest {
        request_id,
        office_id: body.office_id,
        tracking_numbers: body.tracking_numbers,
    };
    let answer = app.clients.order_office().hand_over_parcels(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// What is late, silent, delivered to another or not refunded, by age.
#[utoipa::path(get, path = "/v1/office/order-exceptions", tag = "civil-status-office", params(OfficeQuery), responses((status = 200, body = ListingBody<ExceptionEntry>)))]
async fn list_exceptions(
    State(app): State<App>,
    _: User,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<OfficeQuery>,
) -> Answer<Listing<ExceptionEntry>> {
    let request = pb::ListExceptionsRequest {
        office_id: query.office_id,
        page_size: query.page_size,
        page_token: query.page_token,
    };
    let answer = app
        .clients
        .order_office()
        .list_exceptions(request)
        .await?
        .into_inner();
    Ok(Listing::new(uri, answer.entries.show(), answer.next_page_token))
}

/// Totals per part of the price of paid acts, by what happened to them.
#[utoipa::path(get, path = "/v1/office/settlement", tag = "civil-status-office", params(SettlementQuery), responses((status = 200, body = Settlement)))]
async fn get_settlement(
    State(app): State<App>,
    _: User,
    Query(query): Query<SettlementQuery>,
) -> Answer<Json<Settlement>> {
    let request = pb::GetSettlementRequest {
        office_id: query.office_id,
        from: query.from.tell(),
        to: query.to.tell(),
        issuing_administration: query.issuing_administration,
    };
    let answer = app.clients.order_office().get_settlement(request).await?;
    Ok(Json(answer.into_inner().show()))
}
