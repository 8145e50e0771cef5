//! `ReconciliationService`.

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response, Status};
use wathiq_chassis::caller;
use wathiq_proto::wathiq::payment::v1 as pb;
use wathiq_proto::wathiq::payment::v1::reconciliation_service_server::ReconciliationService;

use crate::app::list_differences::list_differences;
use crate::app::{App, retry_refunds, write};
use crate::domain::refund::Refund;
use crate::grpc::fields::{self, Fields};
use crate::grpc::page::{self, Sizes};
use crate::grpc::{command, convert, decoded};
use crate::wire;

/// Pages of differences.
const SIZES: Sizes = Sizes {
    usual: 50,
    largest: 200,
};

/// Handlers of the administrators' side.
pub(super) struct Reconciliation {
    app: Arc<App>,
}

impl Reconciliation {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

#[tonic::async_trait]
impl ReconciliationService for Reconciliation {
    async fn list_differences(
        &self,
        request: Request<pb::ListDifferencesRequest>,
    ) -> Result<Response<pb::ListDifferencesResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let mut fields = Fields::default();
        let size = SIZES.size(&mut fields, message.page_size);
        let after = page::difference_of_token(&mut fields, &message.page_token);
        let (Some(size), Some(after)) = (size, after) else {
            return Err(fields.error().into());
        };
        let mut found = list_differences(&self.app, caller, after, i64::from(size) + 1).await?;
        let next_page_token = page::cut(&mut found.listed, size, page::token_of_difference);
        Ok(Response::new(pb::ListDifferencesResponse {
            differences: found.listed.iter().map(convert::difference).collect(),
            next_page_token,
            run_time: found.run.map(|(ended, _)| wire::timestamp(ended)),
            run_unanswered: found.run.map_or(0, |(_, unanswered)| unanswered),
        }))
    }

    async fn retry_refunds(
        &self,
        request: Request<pb::RetryRefundsRequest>,
    ) -> Result<Response<pb::RetryRefundsResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let method = "/wathiq.payment.v1.ReconciliationService/RetryRefunds";
        let command = command(write::person(caller.person_id), method, &request_id, &message)?;
        let attempt_id = fields::id("attempt_id", &message.attempt_id)?;
        let encode = |refunds: &Vec<Refund>| {
            let refunds = refunds.iter().map(convert::refund).collect();
            pb::RetryRefundsResponse { refunds }.encode_to_vec()
        };
        decoded(&retry_refunds::retry_refunds(&self.app, &caller, &command, attempt_id, encode).await?)
    }
}
