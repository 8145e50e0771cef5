//! `IssuedDocumentService`.

mod convert;

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt, future, stream};
use prost::Message;
use secrecy::{ExposeSecret, SecretString};
use tonic::{Request, Response, Status, Streaming};
use wathiq_chassis::{caller, peer};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_proto::wathiq::signature::v1::issued_document_service_server::IssuedDocumentService;

use crate::app::deposit_issued::deposit_issued;
use crate::app::list_issued::list_to_seal;
use crate::app::own_issued::{self as own, Download, Key};
use crate::app::seal_issued::{self as sealing, SealIssued, seal_issued};
use crate::app::write::{Subject, trace_denial_of};
use crate::app::{App, AppError};
use crate::domain::issued_document::IssuedDocument;
use crate::grpc::fields::{self, Fields};
use crate::grpc::{command, decoded, seal, service_command};
use crate::storage::StorageError;
use convert::{deposit, issued_document, list_page, problem, to_seal_filter};
pub(super) use convert::{facts, kind};

const WITHDRAW: &str = "/wathiq.signature.v1.IssuedDocumentService/WithdrawIssuedDocument";
const SEAL: &str = "/wathiq.signature.v1.IssuedDocumentService/SealIssuedDocuments";
/// Longest name of an owner for a document, in characters.
const LONGEST_REFERENCE: usize = 64;

/// Handlers of the issued documents.
pub(super) struct IssuedDocuments {
    app: Arc<App>,
}

impl IssuedDocuments {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

type Parts = Pin<Box<dyn Stream<Item = Result<pb::DownloadIssuedDocumentResponse, Status>> + Send>>;

#[tonic::async_trait]
impl IssuedDocumentService for IssuedDocuments {
    type DownloadIssuedDocumentStream = Parts;

    async fn deposit_issued_document(
        &self,
        request: Request<Streaming<pb::DepositIssuedDocumentRequest>>,
    ) -> Result<Response<pb::DepositIssuedDocumentResponse>, Status> {
        let owner = peer(&request).0.clone();
        let mut parts = request.into_inner();
        let Some(pb::deposit_issued_document_request::Part::Header(header)) =
            parts.message().await?.and_then(|first| first.part)
        else {
            return Err(AppError::invalid("header", "REQUIRED", "the first message is the header").into());
        };
        let (request_id, deposit) = deposit(owner, &header)?;
        let chunks = parts.map(|part| chunk(part?)).boxed();
        let encode = |document: &IssuedDocument| {
            pb::DepositIssuedDocumentResponse {
                issued_document: Some(issued_document(document)),
            }
            .encode_to_vec()
        };
        decoded(&deposit_issued(&self.app, request_id, deposit, chunks, encode).await?)
    }

    async fn get_issued_document(
        &self,
        request: Request<pb::GetIssuedDocumentRequest>,
    ) -> Result<Response<pb::GetIssuedDocumentResponse>, Status> {
        let owner = peer(&request).0.clone();
        let key = key(request.into_inner().key)?;
        let document = own::get(&self.app, &owner, &key).await?;
        Ok(Response::new(pb::GetIssuedDocumentResponse {
            issued_document: Some(issued_document(&document)),
            commitment_salt: document.salt.0.to_vec(),
        }))
    }

    async fn download_issued_document(
        &self,
        request: Request<pb::DownloadIssuedDocumentRequest>,
    ) -> Result<Response<Self::DownloadIssuedDocumentStream>, Status> {
        let owner = peer(&request).0.clone();
        let message = request.into_inner();
        let id = fields::id("issued_document_id", &message.issued_document_id)?;
        let download = own::download(&self.app, &owner, id, message.allow_prepared).await?;
        Ok(Response::new(parts(download)))
    }

    async fn withdraw_issued_document(
        &self,
        request: Request<pb::WithdrawIssuedDocumentRequest>,
    ) -> Result<Response<pb::WithdrawIssuedDocumentResponse>, Status> {
        let owner = peer(&request).0.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let command = service_command(&owner, WITHDRAW, &request_id, &message)?;
        let id = fields::id("issued_document_id", &message.issued_document_id)?;
        let encode = |document: &IssuedDocument| {
            pb::WithdrawIssuedDocumentResponse {
                issued_document: Some(issued_document(document)),
            }
            .encode_to_vec()
        };
        decoded(&own::withdraw(&self.app, &owner, &command, id, encode).await?)
    }

    async fn list_issued_documents(
        &self,
        request: Request<pb::ListIssuedDocumentsRequest>,
    ) -> Result<Response<pb::ListIssuedDocumentsResponse>, Status> {
        let owner = peer(&request).0.clone();
        let message = request.into_inner();
        let (after, size) = list_page(&message)?;
        let mut found = own::list(&self.app, &owner, after, i64::from(size) + 1).await?;
        let next_page_token = seal::next_token(&mut found, size, |document| document.id);
        Ok(Response::new(pb::ListIssuedDocumentsResponse {
            issued_documents: found.iter().map(issued_document).collect(),
            next_page_token,
        }))
    }

    async fn list_issued_documents_to_seal(
        &self,
        request: Request<pb::ListIssuedDocumentsToSealRequest>,
    ) -> Result<Response<pb::ListIssuedDocumentsToSealResponse>, Status> {
        let caller = caller(&request)?.clone();
        let (filter, size) = to_seal_filter(&caller, request.get_ref())?;
        let mut found = list_to_seal(&self.app, &caller, &filter).await?;
        let next_page_token = seal::next_token(&mut found, size, |document| document.id);
        Ok(Response::new(pb::ListIssuedDocumentsToSealResponse {
            issued_documents: found.iter().map(issued_document).collect(),
            next_page_token,
        }))
    }

    async fn seal_issued_documents(
        &self,
        request: Request<pb::SealIssuedDocumentsRequest>,
    ) -> Result<Response<pb::SealIssuedDocumentsResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        // Out of the message before anything is hashed: a corrected PIN is the same request.
        let pin = SecretString::from(std::mem::take(&mut message.pin));
        let command = command(&caller, SEAL, &request_id, &message)?;
        let asked = seal_asked(&message, pin)?;
        let ids = asked.ids.clone();
        let subject = Subject {
            aggregate: "issued_document",
            ids: &ids,
        };
        let done = seal_issued(&self.app, &caller, &command, asked).await;
        let done = trace_denial_of(&self.app, &caller, sealing::ACTION, subject, done).await?;
        Ok(Response::new(pb::SealIssuedDocumentsResponse {
            issued_documents: done.documents.iter().map(issued_document).collect(),
            problems: done.problems.into_iter().map(problem).collect(),
        }))
    }
}

fn seal_asked(message: &pb::SealIssuedDocumentsRequest, pin: SecretString) -> Result<SealIssued, AppError> {
    let mut fields = Fields::default();
    let ids = seal::batch(&mut fields, "issued_document_ids", &message.issued_document_ids);
    let confirmation_id = fields.id("confirmation_id", &message.confirmation_id);
    let credential_id = fields.optional_id("credential_id", &message.credential_id);
    let length = pin.expose_secret().chars().count();
    if length > seal::LONGEST_PIN {
        fields.fault::<()>("pin", "LENGTH", "must have at most 64 characters");
    }
    let (Some(ids), Some(confirmation_id), Some(credential_id)) = (ids, confirmation_id, credential_id)
    else {
        return Err(fields.error());
    };
    fields.check()?;
    Ok(SealIssued {
        ids,
        confirmation_id,
        pin: (length > 0).then_some(pin),
        credential_id,
    })
}

/// A further message of a deposit.
fn chunk(part: pb::DepositIssuedDocumentRequest) -> Result<Bytes, Status> {
    match part.part {
        Some(pb::deposit_issued_document_request::Part::Chunk(bytes)) => {
            if bytes.len() > super::CHUNK_BYTES {
                let text = "a chunk has at most 256 KiB";
                return Err(AppError::invalid("chunk", "CHUNK_TOO_LARGE", text).into());
            }
            Ok(Bytes::from(bytes))
        }
        _ => Err(AppError::invalid("chunk", "REQUIRED", "after the header come chunks").into()),
    }
}

fn key(key: Option<pb::get_issued_document_request::Key>) -> Result<Key, AppError> {
    use pb::get_issued_document_request::Key as Wire;
    let mut fields = Fields::default();
    let key = match key {
        Some(Wire::IssuedDocumentId(id)) => fields.id("issued_document_id", &id).map(Key::Id),
        Some(Wire::OwnerReference(reference)) => fields
            .text("owner_reference", &reference, 1..=LONGEST_REFERENCE)
            .map(Key::Reference),
        None => fields.fault("key", "REQUIRED", "must be an id or an owner reference"),
    };
    key.ok_or_else(|| fields.error())
}

/// The totals first, then the bytes.
fn parts(download: Download) -> Parts {
    let totals = pb::DownloadIssuedDocumentResponse {
        chunk: Vec::new(),
        total_bytes: download.reader.total_bytes,
        sha256: download.sha256.map(|sha256| sha256.to_vec()).unwrap_or_default(),
        sealed: download.sha256.is_some(),
    };
    let chunks = download
        .reader
        .chunks
        .flat_map(|read| stream::iter(messages(read)));
    stream::once(future::ready(Ok(totals))).chain(chunks).boxed()
}

fn messages(read: Result<Bytes, StorageError>) -> Vec<Result<pb::DownloadIssuedDocumentResponse, Status>> {
    match read {
        Ok(bytes) => {
            let message = |part: &[u8]| {
                Ok(pb::DownloadIssuedDocumentResponse {
                    chunk: part.to_vec(),
                    ..Default::default()
                })
            };
            bytes.chunks(super::CHUNK_BYTES).map(message).collect()
        }
        Err(error) => vec![Err(AppError::from(error).into())],
    }
}
