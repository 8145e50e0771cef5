//! `OfficeService`. The register and the seals have their handlers in `seal`.

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response, Status};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_proto::wathiq::signature::v1::office_service_server::OfficeService;

use crate::app::App;
use crate::app::accept_request::accept_request;
use crate::app::claim_request::claim_request;
use crate::app::get_review::get_review;
use crate::app::list_queue::{Entry, list_queue};
use crate::app::refuse_request::refuse_request;
use crate::app::release_claim::release_claim;
use crate::app::render_review_page::render_review_page;
use crate::app::return_request::return_request;
use crate::app::set_fee::set_fee;
use crate::app::view::RequestView;
use crate::app::write::{Subject, trace_denial, trace_denial_of};
use crate::grpc::{command, convert, decoded, fields, page, parse, seal};

/// Handlers of the offices' work.
pub(super) struct Offices {
    app: Arc<App>,
}

impl Offices {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

const CLAIM: &str = "/wathiq.signature.v1.OfficeService/ClaimRequest";
const RELEASE: &str = "/wathiq.signature.v1.OfficeService/ReleaseClaim";
const ACCEPT: &str = "/wathiq.signature.v1.OfficeService/AcceptRequest";
const REFUSE: &str = "/wathiq.signature.v1.OfficeService/RefuseRequest";
const RETURN: &str = "/wathiq.signature.v1.OfficeService/ReturnRequest";
const SET_FEE: &str = "/wathiq.signature.v1.OfficeService/SetFee";

#[tonic::async_trait]
impl OfficeService for Offices {
    async fn list_queue(
        &self,
        request: Request<pb::ListQueueRequest>,
    ) -> Result<Response<pb::ListQueueResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?;
        let filter = parse::queue_filter(request.get_ref())?;
        let found = list_queue(&self.app, caller, filter).await?;
        Ok(Response::new(pb::ListQueueResponse {
            entries: found.entries.iter().map(convert::queue_entry).collect(),
            next_page_token: found.next.map(page::token_of_entry).unwrap_or_default(),
        }))
    }

    async fn claim_request(
        &self,
        request: Request<pb::ClaimRequestRequest>,
    ) -> Result<Response<pb::ClaimRequestResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let id = fields::id("legalisation_request_id", &message.legalisation_request_id)?;
        let command = command(&caller, CLAIM, &request_id, &message)?;
        let encode = |entry: &Entry| {
            pb::ClaimRequestResponse {
                entry: Some(convert::queue_entry(entry)),
            }
            .encode_to_vec()
        };
        let done = claim_request(&self.app, &caller, &command, id, encode).await;
        decoded(&trace_denial(&self.app, &caller, "legalisation_request.claim", id, done).await?)
    }

    async fn release_claim(
        &self,
        request: Request<pb::ReleaseClaimRequest>,
    ) -> Result<Response<pb::ReleaseClaimResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let id = fields::id("legalisation_request_id", &message.legalisation_request_id)?;
        let command = command(&caller, RELEASE, &request_id, &message)?;
        let response = pb::ReleaseClaimResponse {}.encode_to_vec();
        decoded(&release_claim(&self.app, &caller, &command, id, response).await?)
    }

    async fn get_review(
        &self,
        request: Request<pb::GetReviewRequest>,
    ) -> Result<Response<pb::GetReviewResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?;
        let id = fields::id(
            "legalisation_request_id",
            &request.get_ref().legalisation_request_id,
        )?;
        let review = get_review(&self.app, caller, id).await?;
        Ok(Response::new(pb::GetReviewResponse {
            legalisation_request: Some(convert::legalisation_request(&review.view)),
            region_png: review.region_png,
            specimen_png: review.specimen_png,
            specimen_version: review.shown.specimen_version,
            region_sha256: review.shown.region_sha256.to_vec(),
            specimen_sha256: review.shown.specimen_sha256.to_vec(),
        }))
    }

    async fn render_review_page(
        &self,
        request: Request<pb::RenderReviewPageRequest>,
    ) -> Result<Response<pb::RenderReviewPageResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?;
        let message = request.get_ref();
        let id = fields::id("legalisation_request_id", &message.legalisation_request_id)?;
        let job = parse::render_job(message.page_number, message.region.as_ref(), message.width_pixels)?;
        let image_png = render_review_page(&self.app, caller, id, job).await?;
        Ok(Response::new(pb::RenderReviewPageResponse { image_png }))
    }

    async fn accept_request(
        &self,
        request: Request<pb::AcceptRequestRequest>,
    ) -> Result<Response<pb::AcceptRequestResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let id = fields::id("legalisation_request_id", &message.legalisation_request_id)?;
        let declared = parse::comparison(message.comparison.as_ref())?;
        let command = command(&caller, ACCEPT, &request_id, &message)?;
        let encode = |view: &RequestView| {
            let request = convert::legalisation_request(view);
            pb::AcceptRequestResponse {
                legalisation_request: Some(request),
            }
            .encode_to_vec()
        };
        let done = accept_request(&self.app, &caller, &command, id, declared, encode).await;
        decoded(&trace_denial(&self.app, &caller, "legalisation_request.accept", id, done).await?)
    }

    async fn refuse_request(
        &self,
        request: Request<pb::RefuseRequestRequest>,
    ) -> Result<Response<pb::RefuseRequestResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let id = fields::id("legalisation_request_id", &message.legalisation_request_id)?;
        let reasons = parse::reasons(&message)?;
        let command = command(&caller, REFUSE, &request_id, &message)?;
        let encode = |view: &RequestView| {
            let request = convert::legalisation_request(view);
            pb::RefuseRequestResponse {
                legalisation_request: Some(request),
            }
            .encode_to_vec()
        };
        let done = refuse_request(&self.app, &caller, &command, id, reasons, encode).await;
        decoded(&trace_denial(&self.app, &caller, "legalisation_request.refuse", id, done).await?)
    }

    async fn return_request(
        &self,
        request: Request<pb::ReturnRequestRequest>,
    ) -> Result<Response<pb::ReturnRequestResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let id = fields::id("legalisation_request_id", &message.legalisation_request_id)?;
        let note = parse::note(&message.note)?;
        let command = command(&caller, RETURN, &request_id, &message)?;
        let encode = |view: &RequestView| {
            let request = convert::legalisation_request(view);
            pb::ReturnRequestResponse {
                legalisation_request: Some(request),
            }
            .encode_to_vec()
        };
        let done = return_request(&self.app, &caller, &command, id, note, encode).await;
        decoded(&trace_denial(&self.app, &caller, "legalisation_request.return", id, done).await?)
    }

    async fn set_fee(
        &self,
        request: Request<pb::SetFeeRequest>,
    ) -> Result<Response<pb::SetFeeResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let asked = parse::set_fee(&message)?;
        let command = command(&caller, SET_FEE, &request_id, &message)?;
        let office = [asked.office_id];
        let subject = Subject {
            aggregate: "office",
            ids: &office,
        };
        let response = pb::SetFeeResponse {}.encode_to_vec();
        let done = set_fee(&self.app, &caller, &command, asked, response).await;
        decoded(&trace_denial_of(&self.app, &caller, "fee.set", subject, done).await?)
    }

    async fn authorise_seals(
        &self,
        request: Request<pb::AuthoriseSealsRequest>,
    ) -> Result<Response<pb::AuthoriseSealsResponse>, Status> {
        seal::authorise_seals(&self.app, request).await
    }

    async fn seal(&self, request: Request<pb::SealRequest>) -> Result<Response<pb::SealResponse>, Status> {
        seal::seal(&self.app, request).await
    }

    async fn list_intents(
        &self,
        request: Request<pb::ListIntentsRequest>,
    ) -> Result<Response<pb::ListIntentsResponse>, Status> {
        seal::list_intents(&self.app, request).await
    }

    async fn annul_intent(
        &self,
        request: Request<pb::AnnulIntentRequest>,
    ) -> Result<Response<pb::AnnulIntentResponse>, Status> {
        seal::annul_intent(&self.app, request).await
    }

    async fn list_register(
        &self,
        request: Request<pb::ListRegisterRequest>,
    ) -> Result<Response<pb::ListRegisterResponse>, Status> {
        seal::list_register(&self.app, request).await
    }

    async fn register_credential(
        &self,
        request: Request<pb::RegisterCredentialRequest>,
    ) -> Result<Response<pb::RegisterCredentialResponse>, Status> {
        seal::register_credential(&self.app, request).await
    }

    async fn list_credentials(
        &self,
        request: Request<pb::ListCredentialsRequest>,
    ) -> Result<Response<pb::ListCredentialsResponse>, Status> {
        seal::list_credentials(&self.app, request).await
    }
}
