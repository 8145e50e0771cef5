//! `PayableService`: what owning services ask. The owner is the peer.

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response, Status};
use wathiq_chassis::peer;
use wathiq_proto::wathiq::payment::v1 as pb;
use wathiq_proto::wathiq::payment::v1::payable_service_server::PayableService;

use crate::app::get_payable::{self, Name};
use crate::app::{
    App, AppError, cancel_payable, list_payables, list_statement, open_payable, request_refund, write,
};
use crate::domain::book::Book;
use crate::domain::refund::Refund;
use crate::grpc::page::{self, Sizes};
use crate::grpc::{command, convert, decoded, fields, parse};

/// Pages of payables.
const PAYABLES: Sizes = Sizes {
    usual: 200,
    largest: 1_000,
};
/// Pages of the statement: every entry is a question to a provider within the call's deadline.
const STATEMENT: Sizes = Sizes {
    usual: 20,
    largest: 50,
};

/// Handlers of the owners' side.
pub(super) struct Payables {
    app: Arc<App>,
}

impl Payables {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

#[tonic::async_trait]
impl PayableService for Payables {
    async fn open_payable(
        &self,
        request: Request<pb::OpenPayableRequest>,
    ) -> Result<Response<pb::OpenPayableResponse>, Status> {
        let owner = peer(&request).0.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let method = "/wathiq.payment.v1.PayableService/OpenPayable";
        let command = command(write::service(&owner), method, &request_id, &message)?;
        let new = parse::new_payable(&owner, &message, self.app.ambient.now())?;
        let encode = |book: &Book| {
            let payable = Some(convert::payable(book));
            pb::OpenPayableResponse { payable }.encode_to_vec()
        };
        decoded(&open_payable::open_payable(&self.app, &command, new, encode).await?)
    }

    async fn get_payable(
        &self,
        request: Request<pb::GetPayableRequest>,
    ) -> Result<Response<pb::GetPayableResponse>, Status> {
        let owner = peer(&request).0.clone();
        let name = match request.into_inner().key {
            Some(pb::get_payable_request::Key::PayableId(id)) => Name::Id(fields::id("payable_id", &id)?),
            Some(pb::get_payable_request::Key::OwnerReference(reference)) => Name::Reference(reference),
            None => {
                return Err(
                    AppError::invalid("payable_id", "REQUIRED", "one of the keys must be given").into(),
                );
            }
        };
        let book = get_payable::of_owner(&self.app, &owner, &name).await?;
        Ok(Response::new(pb::GetPayableResponse {
            payable: Some(convert::payable(&book)),
        }))
    }

    async fn cancel_payable(
        &self,
        request: Request<pb::CancelPayableRequest>,
    ) -> Result<Response<pb::CancelPayableResponse>, Status> {
        let owner = peer(&request).0.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let method = "/wathiq.payment.v1.PayableService/CancelPayable";
        let command = command(write::service(&owner), method, &request_id, &message)?;
        let id = fields::id("payable_id", &message.payable_id)?;
        let encode = |book: &Book| {
            let payable = Some(convert::payable(book));
            pb::CancelPayableResponse { payable }.encode_to_vec()
        };
        decoded(&cancel_payable::cancel_payable(&self.app, &command, &owner, id, encode).await?)
    }

    async fn request_refund(
        &self,
        request: Request<pb::RequestRefundRequest>,
    ) -> Result<Response<pb::RequestRefundResponse>, Status> {
        let owner = peer(&request).0.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let method = "/wathiq.payment.v1.PayableService/RequestRefund";
        let command = command(write::service(&owner), method, &request_id, &message)?;
        let wanted = parse::refund(&owner, &message)?;
        let encode = |refund: &Refund| {
            let refund = Some(convert::refund(refund));
            pb::RequestRefundResponse { refund }.encode_to_vec()
        };
        decoded(&request_refund::request_refund(&self.app, &command, wanted, encode).await?)
    }

    async fn list_payables(
        &self,
        request: Request<pb::ListPayablesRequest>,
    ) -> Result<Response<pb::ListPayablesResponse>, Status> {
        let owner = peer(&request).0.clone();
        let message = request.into_inner();
        let (from, before) = (message.opened_from.as_ref(), message.opened_before.as_ref());
        let (size, span) = parse::span(PAYABLES, message.page_size, &message.page_token, from, before)?;
        let mut found = list_payables::list_payables(&self.app, &owner, span).await?;
        let mut payables: Vec<pb::Payable> = found.iter().map(convert::payable).collect();
        let size = u16::try_from(page::fitting(&payables)).unwrap_or(size).min(size);
        let next_page_token = page::cut(&mut found, size, |book| page::token_of_id(book.payable.id));
        payables.truncate(size.into());
        Ok(Response::new(pb::ListPayablesResponse {
            payables,
            next_page_token,
        }))
    }

    async fn list_statement(
        &self,
        request: Request<pb::ListStatementRequest>,
    ) -> Result<Response<pb::ListStatementResponse>, Status> {
        let owner = peer(&request).0.clone();
        let message = request.into_inner();
        let (from, before) = (message.opened_from.as_ref(), message.opened_before.as_ref());
        let (size, span) = parse::span(STATEMENT, message.page_size, &message.page_token, from, before)?;
        let mut found = list_statement::list_statement(&self.app, &owner, span).await?;
        let next_page_token = page::cut(&mut found, size, |entry| page::token_of_id(entry.attempt.id));
        Ok(Response::new(pb::ListStatementResponse {
            entries: found.iter().map(convert::entry).collect(),
            next_page_token,
        }))
    }
}
