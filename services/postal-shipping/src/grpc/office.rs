//! The office's side.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_chassis::caller;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::office_service_server::OfficeService;

use super::command::command;
use super::download::{Chunks, chunks};
use super::fields::Fields;
use super::page::{Page, Sizes};
use super::{convert, parse};
use crate::app::deposit_list_file::Form;
use crate::app::settle_claim::CarriersAnswer;
use crate::app::{
    App, deposit_list_file, labels, list_deposit_lists, list_office_shipments, open_claim, record_scan,
    settle_claim,
};
use crate::store::shipments::OfficesPage;

const SIZES: Sizes = Sizes {
    usual: 50,
    largest: 200,
};
const MOST_LABELS: usize = 200;

pub(super) struct Offices(pub(super) Arc<App>);

#[tonic::async_trait]
impl OfficeService for Offices {
    type DownloadLabelsStream = Chunks<pb::DownloadLabelsResponse>;
    type DownloadDepositListStream = Chunks<pb::DownloadDepositListResponse>;

    async fn download_labels(
        &self,
        request: Request<pb::DownloadLabelsRequest>,
    ) -> Result<Response<Self::DownloadLabelsStream>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let ids = fields.ids("shipment_ids", &message.shipment_ids, MOST_LABELS);
        let (office_id, ids) = fields.finish(office_id.zip(ids))?;
        let file = labels::labels(&self.0, caller(&request)?, office_id, &ids).await?;
        Ok(Response::new(chunks(&file, "labels.pdf", |part| {
            pb::DownloadLabelsResponse {
                chunk: part.chunk,
                total_bytes: part.total_bytes,
                sha256: part.sha256,
                file_name: part.file_name,
            }
        })))
    }

    async fn download_deposit_list(
        &self,
        request: Request<pb::DownloadDepositListRequest>,
    ) -> Result<Response<Self::DownloadDepositListStream>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let id = fields.id("deposit_list_id", &message.deposit_list_id);
        let form = match message.form() {
            pb::DepositListForm::Unspecified => fields.fault("form", "REQUIRED", "is PDF or CSV"),
            pb::DepositListForm::Pdf => Some((Form::Pdf, "pdf")),
            pb::DepositListForm::Csv => Some((Form::Csv, "csv")),
        };
        let (id, (form, extension)) = fields.finish(id.zip(form))?;
        let (list, file) = deposit_list_file::deposit_list_file(&self.0, caller(&request)?, id, form).await?;
        let name = format!("{}.{extension}", list.written_number().replace('/', "-"));
        Ok(Response::new(chunks(&file, &name, |part| {
            pb::DownloadDepositListResponse {
                chunk: part.chunk,
                total_bytes: part.total_bytes,
                sha256: part.sha256,
                file_name: part.file_name,
            }
        })))
    }

    async fn list_deposit_lists(
        &self,
        request: Request<pb::ListDepositListsRequest>,
    ) -> Result<Response<pb::ListDepositListsResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let page = Page::parse(&mut fields, SIZES, message.page_size, &message.page_token);
        let (office_id, page) = fields.finish(office_id.zip(page))?;
        let caller = caller(&request)?;
        let found =
            list_deposit_lists::list_deposit_lists(&self.0, caller, office_id, page.after, page.rows())
                .await?;
        let (found, next_page_token) = page.of(found, |list| list.id);
        Ok(Response::new(pb::ListDepositListsResponse {
            deposit_lists: found.iter().map(convert::deposit_list).collect(),
            next_page_token,
        }))
    }

    async fn list_office_shipments(
        &self,
        request: Request<pb::ListOfficeShipmentsRequest>,
    ) -> Result<Response<pb::ListOfficeShipmentsResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let states = parse::states(&mut fields, &message.states);
        let page = Page::parse(&mut fields, SIZES, message.page_size, &message.page_token);
        let (office_id, (states, page)) = fields.finish(office_id.zip(states.zip(page)))?;
        let wanted = OfficesPage {
            office_id,
            states,
            exceptions_only: message.exceptions_only,
            after: page.after,
            limit: page.rows(),
        };
        let found = list_office_shipments::list_office_shipments(&self.0, caller(&request)?, &wanted).await?;
        let (found, next_page_token) = page.of(found, |shipment| shipment.id);
        Ok(Response::new(pb::ListOfficeShipmentsResponse {
            shipments: found.iter().map(convert::shipment).collect(),
            next_page_token,
        }))
    }

    async fn record_scan(
        &self,
        request: Request<pb::RecordScanRequest>,
    ) -> Result<Response<pb::RecordScanResponse>, Status> {
        let mut fields = Fields::default();
        let command = fields.take(command(&request));
        let raw = parse::scanned(&mut fields, request.get_ref());
        let event = raw.and_then(|raw| {
            let event = raw.check(self.0.ambient.now());
            let scoped = event.map_err(|faults| faults.into_iter().map(within_event).collect());
            fields.checked("", scoped)
        });
        let (command, event) = fields.finish(command.zip(event))?;
        let caller = caller(&request)?;
        let reply = record_scan::record_scan(&self.0, caller, &command, event, |shipment| {
            pb::RecordScanResponse {
                shipment: Some(convert::shipment(shipment)),
            }
        });
        Ok(Response::new(reply.await?))
    }

    async fn open_claim(
        &self,
        request: Request<pb::OpenClaimRequest>,
    ) -> Result<Response<pb::OpenClaimResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let command = fields.take(command(&request));
        let id = fields.id("shipment_id", &message.shipment_id);
        let note = fields.note("note", &message.note);
        let (command, claim) = fields.finish(command.zip(id.zip(note)))?;
        let caller = caller(&request)?;
        let reply = open_claim::open_claim(&self.0, caller, &command, claim, |shipment| {
            pb::OpenClaimResponse {
                shipment: Some(convert::shipment(shipment)),
            }
        });
        Ok(Response::new(reply.await?))
    }

    async fn settle_claim(
        &self,
        request: Request<pb::SettleClaimRequest>,
    ) -> Result<Response<pb::SettleClaimResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let command = fields.take(command(&request));
        let id = fields.id("shipment_id", &message.shipment_id);
        let note = fields.note("note", &message.note);
        let lost = message.lost;
        let answer = note.map(|note| CarriersAnswer { lost, note });
        let (command, settled) = fields.finish(command.zip(id.zip(answer)))?;
        let caller = caller(&request)?;
        let reply = settle_claim::settle_claim(&self.0, caller, &command, settled, |shipment| {
            pb::SettleClaimResponse {
                shipment: Some(convert::shipment(shipment)),
            }
        });
        Ok(Response::new(reply.await?))
    }
}

/// The number stands beside the event in this message, everything else within it.
fn within_event(fault: crate::domain::party::Fault) -> crate::domain::party::Fault {
    if fault.field == "tracking_id" {
        fault
    } else {
        fault.within("event")
    }
}
