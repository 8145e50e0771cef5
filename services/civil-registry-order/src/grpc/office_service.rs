//! `OfficeService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use wathiq_chassis::caller;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::office_service_server::OfficeService;

use super::fields::{self, Fields};
use super::stream::{Chunks, chunks};
use super::{act_service, convert, page, parse, taken};
use crate::app::download::Download;
use crate::app::office::entry::Entry;
use crate::app::office::{
    assign_lines, check_entitlement, create_batch_sheet, download_batch_sheet, download_evidence,
    download_line_document, get_line, get_settlement, hand_over_parcels, link_act, list_batch_sheets,
    list_exceptions, list_parcels, list_prepared, list_queue, prepare_documents, record_production,
    refuse_line, release_line, request_correction,
};
use crate::app::{App, AppError};
use crate::domain::state::Path;
use crate::store::queue::Filter;
use crate::wire;

/// Most lines of one call.
const LINES: usize = 200;

/// Handlers of the office's side.
pub(super) struct Offices {
    app: Arc<App>,
}

impl Offices {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

fn entry(entry: &Entry) -> Option<pb::QueueEntry> {
    Some(convert::entry(entry))
}

#[tonic::async_trait]
impl OfficeService for Offices {
    type DownloadEvidenceStream = Chunks<pb::DownloadEvidenceResponse>;
    type DownloadBatchSheetStream = Chunks<pb::DownloadBatchSheetResponse>;
    type DownloadLineDocumentStream = Chunks<pb::DownloadLineDocumentResponse>;

    async fn list_queue(
        &self,
        request: Request<pb::ListQueueRequest>,
    ) -> Result<Response<pb::ListQueueResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let mut fields = Fields::default();
        let size = page::size(&mut fields, message.page_size);
        let after = page::entry_of_token(&mut fields, &message.page_token);
        let office_id = fields.optional_id("office_id", &message.office_id);
        let assigned_to = fields.optional_id("assigned_to_person_id", &message.assigned_to_person_id);
        let path = match message.path.as_str() {
            "" => Some(None),
            text => match Path::parse(text) {
                Some(path) => Some(Some(path)),
                None => fields.fault("path", "UNKNOWN", "must be PAPER, DIGITISED or empty"),
            },
        };
        let (Some(size), Some(after), Some(office_id), Some(assigned_to), Some(path)) =
            (size, after, office_id, assigned_to, path)
        else {
            return Err(fields.error().into());
        };
        let (order, ordinal) = match message.reference.trim() {
            "" => (None, None),
            text => match parse::line_reference("reference", text) {
                Ok(line) => (Some(line.order), Some(line.ordinal)),
                Err(_) => (Some(parse::reference("reference", text)?), None),
            },
        };
        let filter = Filter {
            states: message.states().filter_map(parse::line_state).collect(),
            document_kind: (!message.document_kind.is_empty()).then(|| message.document_kind.clone()),
            path,
            assigned_to,
            unassigned_only: message.unassigned_only,
            late_only: message.late_only,
            order,
            ordinal,
            after,
            ..Filter::default()
        };
        let page = list_queue::list_queue(&self.app, caller, office_id, filter, size).await?;
        Ok(Response::new(pb::ListQueueResponse {
            entries: page.entries.iter().map(convert::entry).collect(),
            next_page_token: page.next.map(page::token_of_entry).unwrap_or_default(),
        }))
    }

    async fn get_line(
        &self,
        request: Request<pb::GetLineRequest>,
    ) -> Result<Response<pb::GetLineResponse>, Status> {
        let caller = caller(&request)?;
        let key = match &request.get_ref().key {
            Some(pb::get_line_request::Key::LineId(id)) => get_line::Key::Id(fields::id("line_id", id)?),
            Some(pb::get_line_request::Key::LineReference(text)) => {
                get_line::Key::Reference(parse::line_reference("line_reference", text)?)
            }
            None => return Err(AppError::invalid("line_id", "REQUIRED", "name the line").into()),
        };
        let found = get_line::get_line(&self.app, caller, key).await?;
        let order = &found.entry.view.order;
        Ok(Response::new(pb::GetLineResponse {
            entry: entry(&found.entry),
            applicant: Some(convert::full_name(&order.applicant.name)),
            addressee: Some(convert::full_name(&order.addressee)),
            address: Some(convert::address(&order.address)),
            evidence: found.evidence.iter().map(convert::evidence).collect(),
            candidates: found
                .candidates
                .iter()
                .map(act_service::convert::summary)
                .collect(),
            sibling_line_ids: found.siblings.iter().map(Uuid::to_string).collect(),
        }))
    }

    async fn download_evidence(
        &self,
        request: Request<pb::DownloadEvidenceRequest>,
    ) -> Result<Response<Self::DownloadEvidenceStream>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let line_id = fields::id("line_id", &message.line_id)?;
        let evidence_id = fields::id("evidence_id", &message.evidence_id)?;
        let download = download_evidence::download_evidence(&self.app, caller, line_id, evidence_id).await?;
        Ok(Response::new(chunks(download, |chunk, totals| {
            pb::DownloadEvidenceResponse {
                chunk,
                total_bytes: totals.total_bytes,
                sha256: totals.sha256,
                file_name: totals.file_name,
                content_type: totals.content_type,
            }
        })))
    }

    async fn check_entitlement(
        &self,
        request: Request<pb::CheckEntitlementRequest>,
    ) -> Result<Response<pb::CheckEntitlementResponse>, Status> {
        let (caller, command, message) =
            taken(request, "CheckEntitlement", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let line_id = fields.id("line_id", &message.line_id);
        let note = fields.text("note", &message.note, 0..=500);
        let (Some(line_id), Some(note)) = (line_id, note) else {
            return Err(fields.error().into());
        };
        let done = check_entitlement::check_entitlement(&self.app, &caller, &command, line_id, &note).await?;
        Ok(Response::new(pb::CheckEntitlementResponse {
            entry: entry(&done),
        }))
    }

    async fn assign_lines(
        &self,
        request: Request<pb::AssignLinesRequest>,
    ) -> Result<Response<pb::AssignLinesResponse>, Status> {
        let (caller, command, message) = taken(request, "AssignLines", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let lines = parse::ids(&mut fields, "line_ids", &message.line_ids, 1..=LINES);
        let person = fields.optional_id("person_id", &message.person_id);
        let (Some(lines), Some(person)) = (lines, person) else {
            return Err(fields.error().into());
        };
        let done = assign_lines::assign_lines(&self.app, &caller, &command, &lines, person).await?;
        Ok(Response::new(pb::AssignLinesResponse {
            entries: done.iter().map(convert::entry).collect(),
        }))
    }

    async fn link_act(
        &self,
        request: Request<pb::LinkActRequest>,
    ) -> Result<Response<pb::LinkActResponse>, Status> {
        let (caller, command, message) = taken(request, "LinkAct", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let line_id = fields.id("line_id", &message.line_id);
        let act_id = fields.id("act_id", &message.act_id);
        let least = usize::from(message.confirms_differences);
        let note = fields.text("note", &message.note, least..=500);
        let (Some(line_id), Some(act_id), Some(note)) = (line_id, act_id, note) else {
            return Err(fields.error().into());
        };
        let confirmation = message.confirms_differences.then_some(note.as_str());
        let done = link_act::link_act(&self.app, &caller, &command, line_id, act_id, confirmation).await?;
        Ok(Response::new(pb::LinkActResponse { entry: entry(&done) }))
    }

    async fn request_correction(
        &self,
        request: Request<pb::RequestCorrectionRequest>,
    ) -> Result<Response<pb::RequestCorrectionResponse>, Status> {
        let (caller, command, message) =
            taken(request, "RequestCorrection", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let line_id = fields.id("line_id", &message.line_id);
        let text = fields.text("text", &message.text, 0..=2_000);
        let (Some(line_id), Some(text)) = (line_id, text) else {
            return Err(fields.error().into());
        };
        let reason = &message.reason_code;
        let done =
            request_correction::request_correction(&self.app, &caller, &command, line_id, reason, &text)
                .await?;
        Ok(Response::new(pb::RequestCorrectionResponse {
            entry: entry(&done),
        }))
    }

    async fn refuse_line(
        &self,
        request: Request<pb::RefuseLineRequest>,
    ) -> Result<Response<pb::RefuseLineResponse>, Status> {
        let (caller, command, message) = taken(request, "RefuseLine", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let line_id = fields.id("line_id", &message.line_id);
        let text = fields.text("text", &message.text, 0..=2_000);
        let (Some(line_id), Some(text)) = (line_id, text) else {
            return Err(fields.error().into());
        };
        let reason = &message.reason_code;
        let done = refuse_line::refuse_line(&self.app, &caller, &command, line_id, reason, &text).await?;
        Ok(Response::new(pb::RefuseLineResponse { entry: entry(&done) }))
    }

    async fn release_line(
        &self,
        request: Request<pb::ReleaseLineRequest>,
    ) -> Result<Response<pb::ReleaseLineResponse>, Status> {
        let (caller, command, message) = taken(request, "ReleaseLine", |message| &mut message.request_id)?;
        let line_id = fields::id("line_id", &message.line_id)?;
        let done = release_line::release_line(&self.app, &caller, &command, line_id).await?;
        Ok(Response::new(pb::ReleaseLineResponse { entry: entry(&done) }))
    }

    async fn create_batch_sheet(
        &self,
        request: Request<pb::CreateBatchSheetRequest>,
    ) -> Result<Response<pb::CreateBatchSheetResponse>, Status> {
        let (caller, command, message) =
            taken(request, "CreateBatchSheet", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let lines = parse::ids(&mut fields, "line_ids", &message.line_ids, 0..=LINES);
        let (Some(office_id), Some(lines)) = (office_id, lines) else {
            return Err(fields.error().into());
        };
        let sheet =
            create_batch_sheet::create_batch_sheet(&self.app, &caller, &command, office_id, &lines).await?;
        Ok(Response::new(pb::CreateBatchSheetResponse {
            batch_sheet: Some(convert::batch_sheet(&sheet)),
        }))
    }

    async fn list_batch_sheets(
        &self,
        request: Request<pb::ListBatchSheetsRequest>,
    ) -> Result<Response<pb::ListBatchSheetsResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let size = page::size(&mut fields, message.page_size);
        let after = page::id_of_token(&mut fields, &message.page_token);
        let (Some(office_id), Some(size), Some(after)) = (office_id, size, after) else {
            return Err(fields.error().into());
        };
        let (sheets, next) =
            list_batch_sheets::list_batch_sheets(&self.app, caller, office_id, after, size).await?;
        Ok(Response::new(pb::ListBatchSheetsResponse {
            batch_sheets: sheets.iter().map(convert::batch_sheet).collect(),
            next_page_token: next.map(page::token_of_id).unwrap_or_default(),
        }))
    }

    async fn download_batch_sheet(
        &self,
        request: Request<pb::DownloadBatchSheetRequest>,
    ) -> Result<Response<Self::DownloadBatchSheetStream>, Status> {
        let caller = caller(&request)?;
        let id = fields::id("batch_sheet_id", &request.get_ref().batch_sheet_id)?;
        let (file, name) = download_batch_sheet::download_batch_sheet(&self.app, caller, id).await?;
        let download = Download::of_bytes(file, name);
        Ok(Response::new(chunks(download, |chunk, totals| {
            pb::DownloadBatchSheetResponse {
                chunk,
                total_bytes: totals.total_bytes,
                sha256: totals.sha256,
                file_name: totals.file_name,
            }
        })))
    }

    async fn record_production(
        &self,
        request: Request<pb::RecordProductionRequest>,
    ) -> Result<Response<pb::RecordProductionResponse>, Status> {
        let (caller, command, message) =
            taken(request, "RecordProduction", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let officer = fields.id("officer_person_id", &message.officer_person_id);
        let looked_by = fields.optional_id("looked_by_person_id", &message.looked_by_person_id);
        let (Some(officer), Some(looked_by)) = (officer, looked_by) else {
            return Err(fields.error().into());
        };
        let reference = parse::line_reference("line_reference", &message.line_reference)?;
        let done =
            record_production::record_production(&self.app, &caller, &command, reference, officer, looked_by)
                .await?;
        Ok(Response::new(pb::RecordProductionResponse {
            entry: entry(&done),
            offer_keying: done.line.act_id.is_none(),
            parcel: convert::parcel_of(&done),
        }))
    }

    async fn prepare_documents(
        &self,
        request: Request<pb::PrepareDocumentsRequest>,
    ) -> Result<Response<pb::PrepareDocumentsResponse>, Status> {
        let (caller, command, message) =
            taken(request, "PrepareDocuments", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let Some(lines) = parse::ids(&mut fields, "line_ids", &message.line_ids, 1..=LINES) else {
            return Err(fields.error().into());
        };
        let (entries, problems) =
            prepare_documents::prepare_documents(&self.app, &caller, &command, &lines).await?;
        let problems = problems.into_iter().map(|problem| pb::LineProblem {
            line_id: problem.line_id.to_string(),
            reason: problem.reason,
            description: problem.description,
        });
        Ok(Response::new(pb::PrepareDocumentsResponse {
            entries: entries.iter().map(convert::entry).collect(),
            problems: problems.collect(),
        }))
    }

    async fn list_prepared_documents(
        &self,
        request: Request<pb::ListPreparedDocumentsRequest>,
    ) -> Result<Response<pb::ListPreparedDocumentsResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let size = page::size(&mut fields, message.page_size);
        let after = page::entry_of_token(&mut fields, &message.page_token);
        let (Some(office_id), Some(size), Some(after)) = (office_id, size, after) else {
            return Err(fields.error().into());
        };
        let page = list_prepared::list_prepared(&self.app, caller, office_id, after, size).await?;
        Ok(Response::new(pb::ListPreparedDocumentsResponse {
            documents: page.entries.iter().filter_map(convert::prepared).collect(),
            next_page_token: page.next.map(page::token_of_entry).unwrap_or_default(),
        }))
    }

    async fn download_line_document(
        &self,
        request: Request<pb::DownloadLineDocumentRequest>,
    ) -> Result<Response<Self::DownloadLineDocumentStream>, Status> {
        let caller = caller(&request)?;
        let line_id = fields::id("line_id", &request.get_ref().line_id)?;
        let download = download_line_document::download_line_document(&self.app, caller, line_id).await?;
        Ok(Response::new(chunks(download, |chunk, totals| {
            pb::DownloadLineDocumentResponse {
                chunk,
                total_bytes: totals.total_bytes,
                sha256: totals.sha256,
                file_name: totals.file_name,
            }
        })))
    }

    async fn list_parcels(
        &self,
        request: Request<pb::ListParcelsRequest>,
    ) -> Result<Response<pb::ListParcelsResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let size = page::size(&mut fields, message.page_size);
        let after = page::id_of_token(&mut fields, &message.page_token);
        let (Some(office_id), Some(size), Some(after)) = (office_id, size, after) else {
            return Err(fields.error().into());
        };
        let waiting = message.waiting_only;
        let (found, next) =
            list_parcels::list_parcels(&self.app, caller, office_id, waiting, after, size).await?;
        Ok(Response::new(pb::ListParcelsResponse {
            parcels: found
                .iter()
                .map(|(parcel, lines)| convert::parcel(parcel, lines))
                .collect(),
            next_page_token: next.map(page::token_of_id).unwrap_or_default(),
        }))
    }

    async fn hand_over_parcels(
        &self,
        request: Request<pb::HandOverParcelsRequest>,
    ) -> Result<Response<pb::HandOverParcelsResponse>, Status> {
        let (caller, command, message) =
            taken(request, "HandOverParcels", |message| &mut message.request_id)?;
        let office_id = fields::id("office_id", &message.office_id)?;
        let count = message.tracking_numbers.len();
        if count == 0 || count > LINES {
            return Err(AppError::invalid("tracking_numbers", "OUT_OF_RANGE", "must be 1 to 200").into());
        }
        let mut numbers: Vec<String> = Vec::with_capacity(count);
        for number in &message.tracking_numbers {
            let number: String = number
                .chars()
                .filter(|character| !character.is_whitespace())
                .flat_map(char::to_uppercase)
                .collect();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        let done =
            hand_over_parcels::hand_over_parcels(&self.app, &caller, &command, office_id, &numbers).await?;
        let parcels = done.parcels.iter();
        let problems = done.problems.into_iter().map(|problem| pb::ParcelProblem {
            tracking_number: problem.tracking_number,
            reason: problem.reason,
            description: problem.description,
        });
        Ok(Response::new(pb::HandOverParcelsResponse {
            parcels: parcels
                .map(|(parcel, lines)| convert::parcel(parcel, lines))
                .collect(),
            problems: problems.collect(),
            deposit_list_id: done.deposit_list_id.map(|id| id.to_string()).unwrap_or_default(),
        }))
    }

    async fn list_exceptions(
        &self,
        request: Request<pb::ListExceptionsRequest>,
    ) -> Result<Response<pb::ListExceptionsResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let size = page::size(&mut fields, message.page_size);
        let after = page::entry_of_token(&mut fields, &message.page_token);
        let (Some(office_id), Some(size), Some(after)) = (office_id, size, after) else {
            return Err(fields.error().into());
        };
        let (found, next) =
            list_exceptions::list_exceptions(&self.app, caller, office_id, after, size).await?;
        let entries = found.into_iter().map(|exception| pb::ExceptionEntry {
            order_id: exception.order_id.to_string(),
            line_id: exception.line_id.to_string(),
            line_reference: exception.reference.to_string(),
            code: exception.code,
            since: Some(wire::timestamp(exception.since)),
            deadline: exception.deadline.map(wire::timestamp),
        });
        Ok(Response::new(pb::ListExceptionsResponse {
            entries: entries.collect(),
            next_page_token: next.map(page::token_of_entry).unwrap_or_default(),
        }))
    }

    async fn get_settlement(
        &self,
        request: Request<pb::GetSettlementRequest>,
    ) -> Result<Response<pb::GetSettlementResponse>, Status> {
        let caller = caller(&request)?;
        let span = parse::span(request.get_ref())?;
        let totals = get_settlement::get_settlement(&self.app, caller, span).await?;
        Ok(Response::new(convert::settlement(&totals)))
    }
}
