//! `PaymentService`: the payer's side.

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt, stream};
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status};
use wathiq_chassis::caller;
use wathiq_proto::wathiq::payment::v1 as pb;
use wathiq_proto::wathiq::payment::v1::payment_service_server::PaymentService;

use crate::app::download_receipt::{Receipt, download_receipt};
use crate::app::{App, get_payable, start_attempt, write};
use crate::domain::book::Book;
use crate::grpc::{CHUNK_BYTES, command, convert, decoded, fields, parse};

/// Handlers of the payer's side.
pub(super) struct Payments {
    app: Arc<App>,
}

impl Payments {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }

    /// The providers by which it can be paid now.
    fn options(&self, book: &Book) -> Vec<pb::ProviderOption> {
        let now = self.app.ambient.now();
        self.app
            .providers
            .offered()
            .filter(|provider| book.may_start(*provider, now).is_ok())
            .map(|provider| pb::ProviderOption {
                provider: provider.as_str().to_owned(),
            })
            .collect()
    }
}

#[tonic::async_trait]
impl PaymentService for Payments {
    type DownloadReceiptStream =
        Pin<Box<dyn Stream<Item = Result<pb::DownloadReceiptResponse, Status>> + Send>>;

    async fn get_payment(
        &self,
        request: Request<pb::GetPaymentRequest>,
    ) -> Result<Response<pb::GetPaymentResponse>, Status> {
        let caller = caller(&request)?;
        let id = fields::id("payable_id", &request.get_ref().payable_id)?;
        let book = get_payable::of_payer(&self.app, caller, id).await?;
        Ok(Response::new(pb::GetPaymentResponse {
            payable: Some(convert::payable(&book)),
            options: self.options(&book),
        }))
    }

    async fn start_attempt(
        &self,
        request: Request<pb::StartAttemptRequest>,
    ) -> Result<Response<pb::StartAttemptResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let method = "/wathiq.payment.v1.PaymentService/StartAttempt";
        let command = command(write::person(caller.person_id), method, &request_id, &message)?;
        let wanted = parse::start_attempt(&message)?;
        let started =
            start_attempt::start_attempt(&self.app, &caller, &command, wanted, convert::started).await?;
        decoded(&started)
    }

    async fn download_receipt(
        &self,
        request: Request<pb::DownloadReceiptRequest>,
    ) -> Result<Response<Self::DownloadReceiptStream>, Status> {
        let caller = caller(&request)?.clone();
        let id = fields::id("payable_id", &request.get_ref().payable_id)?;
        let receipt = download_receipt(&self.app, &caller, id).await?;
        Ok(Response::new(stream::iter(messages(&receipt)).boxed()))
    }
}

/// The totals first, then the bytes.
fn messages(receipt: &Receipt) -> Vec<Result<pb::DownloadReceiptResponse, Status>> {
    let totals = pb::DownloadReceiptResponse {
        chunk: Vec::new(),
        total_bytes: receipt.pdf.len() as u64,
        sha256: Sha256::digest(&receipt.pdf).to_vec(),
        file_name: receipt.file_name.clone(),
    };
    let chunks = receipt
        .pdf
        .chunks(CHUNK_BYTES)
        .map(|chunk| pb::DownloadReceiptResponse {
            chunk: chunk.to_vec(),
            ..Default::default()
        });
    std::iter::once(totals).chain(chunks).map(Ok).collect()
}
