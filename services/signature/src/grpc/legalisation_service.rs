//! `LegalisationService`.

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response, Status};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_proto::wathiq::signature::v1::legalisation_service_server::LegalisationService;

use crate::app::App;
use crate::app::cancel_request::cancel_request;
use crate::app::confirm_request::confirm_request;
use crate::app::confirmation_subject::confirmation_subject;
use crate::app::create_request::create_request;
use crate::app::get_catalogue::get_catalogue;
use crate::app::get_request::get_request;
use crate::app::list_requests::list_requests;
use crate::app::place_signature::{PlaceSignature, place_signature};
use crate::app::resubmit_request::resubmit_request;
use crate::app::view::RequestView;
use crate::grpc::fields::{self, Fields};
use crate::grpc::{command, convert, decoded, downloads, page, parse};

/// Handlers of the citizens' requests.
pub(super) struct Legalisations {
    app: Arc<App>,
}

impl Legalisations {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

const CREATE: &str = "/wathiq.signature.v1.LegalisationService/CreateLegalisationRequest";
const PLACE: &str = "/wathiq.signature.v1.LegalisationService/PlaceSignature";
const CONFIRM: &str = "/wathiq.signature.v1.LegalisationService/ConfirmLegalisationRequest";
const CANCEL: &str = "/wathiq.signature.v1.LegalisationService/CancelLegalisationRequest";
const RESUBMIT: &str = "/wathiq.signature.v1.LegalisationService/ResubmitLegalisationRequest";

#[tonic::async_trait]
impl LegalisationService for Legalisations {
    type DownloadSealedFileStream = downloads::DownloadSealedFileStream;

    async fn get_catalogue(
        &self,
        request: Request<pb::GetCatalogueRequest>,
    ) -> Result<Response<pb::GetCatalogueResponse>, Status> {
        let office_id = match request.get_ref().office_id.as_str() {
            "" => None,
            id => Some(fields::id("office_id", id)?),
        };
        let view = get_catalogue(&self.app, office_id).await?;
        Ok(Response::new(convert::catalogue(&view)))
    }

    async fn create_legalisation_request(
        &self,
        request: Request<pb::CreateLegalisationRequestRequest>,
    ) -> Result<Response<pb::CreateLegalisationRequestResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let asked = parse::create_request(&message)?;
        let command = command(&caller, CREATE, &request_id, &message)?;
        let encode = |view: &RequestView| {
            let request = convert::legalisation_request(view);
            pb::CreateLegalisationRequestResponse {
                legalisation_request: Some(request),
            }
            .encode_to_vec()
        };
        decoded(&create_request(&self.app, &caller, &command, asked, encode).await?)
    }

    async fn place_signature(
        &self,
        request: Request<pb::PlaceSignatureRequest>,
    ) -> Result<Response<pb::PlaceSignatureResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let asked = PlaceSignature {
            request_id: fields::id("legalisation_request_id", &message.legalisation_request_id)?,
            etag: (!message.etag.is_empty()).then(|| message.etag.clone()),
            placement: parse::placement(message.placement.as_ref())?,
        };
        let command = command(&caller, PLACE, &request_id, &message)?;
        let encode = |view: &RequestView| {
            let request = convert::legalisation_request(view);
            pb::PlaceSignatureResponse {
                legalisation_request: Some(request),
            }
            .encode_to_vec()
        };
        decoded(&place_signature(&self.app, &caller, &command, asked, encode).await?)
    }

    async fn get_confirmation_subject(
        &self,
        request: Request<pb::GetConfirmationSubjectRequest>,
    ) -> Result<Response<pb::GetConfirmationSubjectResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?;
        let id = fields::id(
            "legalisation_request_id",
            &request.get_ref().legalisation_request_id,
        )?;
        let subject = confirmation_subject(&self.app, caller, id).await?;
        Ok(Response::new(pb::GetConfirmationSubjectResponse {
            subject: Some(convert::confirmation_subject(&subject)),
            hash: subject.hash().to_vec(),
        }))
    }

    async fn confirm_legalisation_request(
        &self,
        request: Request<pb::ConfirmLegalisationRequestRequest>,
    ) -> Result<Response<pb::ConfirmLegalisationRequestResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let mut faults = Fields::default();
        let id = faults.id("legalisation_request_id", &message.legalisation_request_id);
        let confirmation_id = faults.id("confirmation_id", &message.confirmation_id);
        let (Some(id), Some(confirmation_id)) = (id, confirmation_id) else {
            return Err(faults.error().into());
        };
        let command = command(&caller, CONFIRM, &request_id, &message)?;
        let encode = |view: &RequestView| {
            let request = convert::legalisation_request(view);
            pb::ConfirmLegalisationRequestResponse {
                legalisation_request: Some(request),
            }
            .encode_to_vec()
        };
        decoded(&confirm_request(&self.app, &caller, &command, id, confirmation_id, encode).await?)
    }

    async fn cancel_legalisation_request(
        &self,
        request: Request<pb::CancelLegalisationRequestRequest>,
    ) -> Result<Response<pb::CancelLegalisationRequestResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let id = fields::id("legalisation_request_id", &message.legalisation_request_id)?;
        let command = command(&caller, CANCEL, &request_id, &message)?;
        let encode = |view: &RequestView| {
            let request = convert::legalisation_request(view);
            pb::CancelLegalisationRequestResponse {
                legalisation_request: Some(request),
            }
            .encode_to_vec()
        };
        decoded(&cancel_request(&self.app, &caller, &command, id, encode).await?)
    }

    async fn resubmit_legalisation_request(
        &self,
        request: Request<pb::ResubmitLegalisationRequestRequest>,
    ) -> Result<Response<pb::ResubmitLegalisationRequestResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let mut faults = Fields::default();
        let id = faults.id("legalisation_request_id", &message.legalisation_request_id);
        let document_id = faults.optional_id("document_id", &message.document_id);
        let (Some(id), Some(document_id)) = (id, document_id) else {
            return Err(faults.error().into());
        };
        let command = command(&caller, RESUBMIT, &request_id, &message)?;
        let encode = |view: &RequestView| {
            let request = convert::legalisation_request(view);
            pb::ResubmitLegalisationRequestResponse {
                legalisation_request: Some(request),
            }
            .encode_to_vec()
        };
        decoded(&resubmit_request(&self.app, &caller, &command, id, document_id, encode).await?)
    }

    async fn get_legalisation_request(
        &self,
        request: Request<pb::GetLegalisationRequestRequest>,
    ) -> Result<Response<pb::GetLegalisationRequestResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?;
        let id = fields::id(
            "legalisation_request_id",
            &request.get_ref().legalisation_request_id,
        )?;
        let view = get_request(&self.app, caller, id).await?;
        let legalisation_request = Some(convert::legalisation_request(&view));
        Ok(Response::new(pb::GetLegalisationRequestResponse {
            legalisation_request,
        }))
    }

    async fn list_legalisation_requests(
        &self,
        request: Request<pb::ListLegalisationRequestsRequest>,
    ) -> Result<Response<pb::ListLegalisationRequestsResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?;
        let message = request.get_ref();
        let mut faults = Fields::default();
        let size = page::size(&mut faults, message.page_size);
        let before = page::id_of_token(&mut faults, &message.page_token);
        let states = parse::states(&mut faults, message.states());
        let (Some(size), Some(before), Some(states)) = (size, before, states) else {
            return Err(faults.error().into());
        };
        let found = list_requests(&self.app, caller, &states, before, size).await?;
        Ok(Response::new(pb::ListLegalisationRequestsResponse {
            legalisation_requests: found.requests.iter().map(convert::legalisation_request).collect(),
            next_page_token: found.next.map(page::token_of_id).unwrap_or_default(),
        }))
    }

    async fn download_sealed_file(
        &self,
        request: Request<pb::DownloadSealedFileRequest>,
    ) -> Result<Response<Self::DownloadSealedFileStream>, Status> {
        downloads::download_sealed_file(&self.app, request).await
    }

    async fn get_commitments(
        &self,
        request: Request<pb::GetCommitmentsRequest>,
    ) -> Result<Response<pb::GetCommitmentsResponse>, Status> {
        downloads::get_commitments(&self.app, request).await
    }
}
