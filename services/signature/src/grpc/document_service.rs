//! `DocumentService`.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt, future, stream};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_proto::wathiq::signature::v1::document_service_server::DocumentService;

use crate::app::download_document::download_document;
use crate::app::get_document::get_document;
use crate::app::render_page::render_page;
use crate::app::upload_document::upload_document;
use crate::app::{App, AppError};
use crate::domain::document::Document;
use crate::grpc::{convert, fields, parse};
use crate::storage::{Reader, StorageError};

/// Handlers of the documents.
pub(super) struct Documents {
    app: Arc<App>,
}

impl Documents {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

#[tonic::async_trait]
impl DocumentService for Documents {
    type DownloadDocumentStream =
        Pin<Box<dyn Stream<Item = Result<pb::DownloadDocumentResponse, Status>> + Send>>;

    async fn upload_document(
        &self,
        request: Request<Streaming<pb::UploadDocumentRequest>>,
    ) -> Result<Response<pb::UploadDocumentResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?.clone();
        let mut parts = request.into_inner();
        let Some(pb::upload_document_request::Part::Header(header)) =
            parts.message().await?.and_then(|first| first.part)
        else {
            return Err(AppError::invalid("header", "REQUIRED", "the first message is the header").into());
        };
        let upload = parse::upload(&header)?;
        let chunks = parts.map(|part| chunk(part?)).boxed();
        let encode = |document: &Document| {
            pb::UploadDocumentResponse {
                document: Some(convert::document(document)),
            }
            .encode_to_vec()
        };
        let answer = upload_document(&self.app, &caller, upload, chunks, encode).await?;
        super::decoded(&answer)
    }

    async fn get_document(
        &self,
        request: Request<pb::GetDocumentRequest>,
    ) -> Result<Response<pb::GetDocumentResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?;
        let id = fields::id("document_id", &request.get_ref().document_id)?;
        let document = get_document(&self.app, caller, id).await?;
        Ok(Response::new(pb::GetDocumentResponse {
            document: Some(convert::document(&document)),
        }))
    }

    async fn download_document(
        &self,
        request: Request<pb::DownloadDocumentRequest>,
    ) -> Result<Response<Self::DownloadDocumentStream>, Status> {
        let caller = wathiq_chassis::caller(&request)?;
        let message = request.get_ref();
        let id = fields::id("document_id", &message.document_id)?;
        let length = (message.length > 0).then_some(message.length);
        let (document, reader) = download_document(&self.app, caller, id, message.offset, length).await?;
        Ok(Response::new(download(document, reader)))
    }

    async fn render_page(
        &self,
        request: Request<pb::RenderPageRequest>,
    ) -> Result<Response<pb::RenderPageResponse>, Status> {
        let caller = wathiq_chassis::caller(&request)?;
        let message = request.get_ref();
        let id = fields::id("document_id", &message.document_id)?;
        let job = parse::render_job(message.page_number, message.region.as_ref(), message.width_pixels)?;
        let image_png = render_page(&self.app, caller, id, job).await?;
        Ok(Response::new(pb::RenderPageResponse { image_png }))
    }
}

/// A further message of an upload.
fn chunk(part: pb::UploadDocumentRequest) -> Result<Bytes, Status> {
    match part.part {
        Some(pb::upload_document_request::Part::Chunk(bytes)) => Ok(Bytes::from(bytes)),
        _ => Err(AppError::invalid("chunk", "REQUIRED", "after the header come chunks").into()),
    }
}

/// The totals first, then the bytes.
fn download(
    document: Document,
    reader: Reader,
) -> Pin<Box<dyn Stream<Item = Result<pb::DownloadDocumentResponse, Status>> + Send>> {
    let totals = pb::DownloadDocumentResponse {
        chunk: Vec::new(),
        total_bytes: reader.total_bytes,
        sha256: document.sha256.to_vec(),
        file_name: document.file_name,
    };
    let chunks = reader.chunks.flat_map(|chunk| stream::iter(messages(chunk)));
    stream::once(future::ready(Ok(totals))).chain(chunks).boxed()
}

/// A chunk as the store gives it, in messages far below the limit of their size.
fn messages(chunk: Result<Bytes, StorageError>) -> Vec<Result<pb::DownloadDocumentResponse, Status>> {
    match chunk {
        Ok(bytes) => bytes
            .chunks(super::CHUNK_BYTES)
            .map(|part| {
                Ok(pb::DownloadDocumentResponse {
                    chunk: part.to_vec(),
                    ..Default::default()
                })
            })
            .collect(),
        Err(error) => vec![Err(AppError::from(error).into())],
    }
}
