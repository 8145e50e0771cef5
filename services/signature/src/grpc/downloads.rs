//! Sealed files as streams of chunks: the first message carries the totals.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use tonic::{Request, Response, Status};
use wathiq_chassis::caller;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::app::download_sealed::{self as sealed, SealedDownload, Wanted};
use crate::app::{App, AppError, get_commitments as commitments};
use crate::domain::seal_facts::SealedFileKind;
use crate::grpc::fields::{self, Fields};
use crate::wire;

/// Largest chunk sent; the store may read larger ones.
const CHUNK: usize = 256 * 1024;

/// A stream of answers.
pub(super) type Chunks<T> = BoxStream<'static, Result<T, Status>>;

pub(super) type DownloadSealedFileStream = Chunks<pb::DownloadSealedFileResponse>;
pub(super) type DownloadForMessageStream = Chunks<pb::DownloadForMessageResponse>;

/// One message of a download, whatever it is called.
pub(super) struct Part {
    chunk: Vec<u8>,
    totals: Option<Totals>,
}

struct Totals {
    total_bytes: u64,
    sha256: Vec<u8>,
    file_name: String,
}

pub(super) async fn download_sealed_file(
    app: &Arc<App>,
    request: Request<pb::DownloadSealedFileRequest>,
) -> Result<Response<DownloadSealedFileStream>, Status> {
    let caller = caller(&request)?.clone();
    let message = request.into_inner();
    let request_id = fields::id("legalisation_request_id", &message.legalisation_request_id)?;
    let wanted = wanted(message.kind(), message.offset, message.length)?;
    let download = sealed::for_owner(app, &caller, request_id, wanted).await?;
    Ok(Response::new(chunks(download, |part| {
        let (total_bytes, sha256, file_name) = part.totals();
        pb::DownloadSealedFileResponse {
            chunk: part.chunk,
            total_bytes,
            sha256,
            file_name,
        }
    })))
}

pub(super) async fn download_for_message(
    app: &Arc<App>,
    request: Request<pb::DownloadForMessageRequest>,
) -> Result<Response<DownloadForMessageStream>, Status> {
    let message = request.into_inner();
    let request_id = fields::id("legalisation_request_id", &message.legalisation_request_id)?;
    let kind = file_kind(message.kind())?;
    let download = sealed::for_message(app, request_id, kind).await?;
    Ok(Response::new(chunks(download, |part| {
        let (total_bytes, sha256, file_name) = part.totals();
        pb::DownloadForMessageResponse {
            chunk: part.chunk,
            total_bytes,
            sha256,
            file_name,
        }
    })))
}

pub(super) async fn get_commitments(
    app: &Arc<App>,
    request: Request<pb::GetCommitmentsRequest>,
) -> Result<Response<pb::GetCommitmentsResponse>, Status> {
    let caller = caller(&request)?.clone();
    let request_id = fields::id(
        "legalisation_request_id",
        &request.into_inner().legalisation_request_id,
    )?;
    let opened = commitments::get_commitments(app, &caller, request_id).await?;
    let commitment = |revision: &crate::domain::revision::SealedRevision| pb::RevisionCommitment {
        kind: wire::file_kind(revision.kind).into(),
        revision: revision.revision,
        sha256: revision.sha256.to_vec(),
        commitment: revision.commitment.to_vec(),
    };
    Ok(Response::new(pb::GetCommitmentsResponse {
        salt: opened.salt.0.to_vec(),
        commitments: opened.revisions.iter().map(commitment).collect(),
    }))
}

pub(super) fn wanted(kind: pb::SealedFileKind, offset: u64, length: u64) -> Result<Wanted, AppError> {
    Ok(Wanted {
        kind: file_kind(kind)?,
        offset,
        length: (length > 0).then_some(length),
    })
}

fn file_kind(kind: pb::SealedFileKind) -> Result<SealedFileKind, AppError> {
    let mut fields = Fields::default();
    let kind = match kind {
        pb::SealedFileKind::Document => Some(SealedFileKind::Document),
        pb::SealedFileKind::LegalisationPage => Some(SealedFileKind::LegalisationPage),
        pb::SealedFileKind::Unspecified => fields.fault("kind", "REQUIRED", "must be said"),
    };
    kind.ok_or_else(|| fields.error())
}

impl Part {
    /// Total size, hash and name; zero and empty after the first message.
    pub(super) fn totals(&self) -> (u64, Vec<u8>, String) {
        let totals = self.totals.as_ref();
        (
            totals.map(|totals| totals.total_bytes).unwrap_or_default(),
            totals.map(|totals| totals.sha256.clone()).unwrap_or_default(),
            totals.map(|totals| totals.file_name.clone()).unwrap_or_default(),
        )
    }

    /// The bytes of this message.
    pub(super) fn into_chunk(self) -> Vec<u8> {
        self.chunk
    }
}

/// The messages of a download: totals alone first, so that an empty range has them too, then the bytes.
pub(super) fn chunks<T: Send + 'static>(
    download: SealedDownload,
    message: impl Fn(Part) -> T + Send + 'static,
) -> Chunks<T> {
    let totals = Totals {
        total_bytes: download.reader.total_bytes,
        sha256: download.sha256.to_vec(),
        file_name: download.file_name,
    };
    let first = stream::iter([Ok(Part {
        chunk: Vec::new(),
        totals: Some(totals),
    })]);
    let rest = download.reader.chunks.flat_map(|read| match read {
        Ok(bytes) => {
            let parts: Vec<_> = bytes
                .chunks(CHUNK)
                .map(|chunk| {
                    Ok(Part {
                        chunk: chunk.to_vec(),
                        totals: None,
                    })
                })
                .collect();
            stream::iter(parts)
        }
        Err(error) => stream::iter(vec![Err(Status::from(AppError::from(error)))]),
    });
    first.chain(rest).map(move |part| part.map(&message)).boxed()
}
