//! Downloads of small files that are made on demand and that a service sends only as a whole: receipts, sheets, labels,
//! evidence. Such a file is read before it is passed on, so that a slow reader holds no call open and nobody gets half
//! of one.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use data_encoding::BASE64;
use futures::{Stream, StreamExt};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tonic::Status;

use crate::api::percent_encode;
use crate::api::transfer::download::Disposition;
use crate::problem::Problem;

/// Largest file of this kind, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// A message of such a download.
pub(crate) struct Piece {
    pub(crate) chunk: Vec<u8>,
    pub(crate) total: u64,
    pub(crate) sha256: Vec<u8>,
    pub(crate) file_name: String,
    pub(crate) content_type: String,
}

/// Types of files that are shown as what they are; another is only ever saved.
const SHOWN: [&str; 4] = [
    "application/pdf",
    "image/jpeg",
    "image/png",
    "text/csv; charset=utf-8",
];

/// Reads a file to its end and answers it.
///
/// # Errors
/// The service's refusal, or `INTERNAL` where it ended early.
pub(crate) async fn answer(
    mut pieces: impl Stream<Item = Result<Piece, Status>> + Unpin,
    disposition: Disposition,
) -> Result<Response, Problem> {
    let first = pieces
        .next()
        .await
        .ok_or_else(|| Status::data_loss("a service sent no file"))??;
    let mut bytes = first.chunk;
    while let Some(piece) = pieces.next().await.transpose()? {
        bytes.extend_from_slice(&piece.chunk);
        if bytes.len() > LARGEST {
            return Err(Status::data_loss("a service sent a file that is too large").into());
        }
    }
    if u64::try_from(bytes.len()).ok() != Some(first.total) {
        return Err(Status::data_loss("a service ended a file early").into());
    }
    let known = SHOWN.iter().find(|kind| **kind == first.content_type);
    let (content_type, kind) = match known {
        Some(kind) if disposition == Disposition::Inline => (*kind, "inline"),
        Some(kind) => (*kind, "attachment"),
        None => ("application/octet-stream", "attachment"),
    };
    let mut response = (StatusCode::OK, Bytes::from(bytes)).into_response();
    let mut put = |name, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, content_type.to_owned());
    put(
        header::CONTENT_DISPOSITION,
        format!("{kind}; filename*=UTF-8''{}", percent_encode(&first.file_name)),
    );
    if !first.sha256.is_empty() {
        // RFC 9530, 3.
        put(
            HeaderName::from_static("repr-digest"),
            format!("sha-256=:{}:", BASE64.encode(&first.sha256)),
        );
    }
    put(header::CACHE_CONTROL, "private, no-store".to_owned());
    Ok(response)
}

/// Calls a method that sends a file as chunks with totals, and answers the file: as a PDF under its name, or with the
/// type and name that two expressions make of its first message.
macro_rules! whole {
    ($call:expr, $disposition:expr) => {
        $crate::api::transfer::whole::whole!($call, $disposition, |message| (
            "application/pdf".to_owned(),
            message.file_name
        ))
    };
    ($call:expr, $disposition:expr, |$message:ident| ($kind:expr, $name:expr)) => {{
        let messages = $call.await?.into_inner();
        let pieces = futures::StreamExt::map(messages, |message| {
            message.map(|$message| $crate::api::transfer::whole::Piece {
                chunk: $message.chunk,
                total: $message.total_bytes,
                sha256: $message.sha256,
                content_type: $kind,
                file_name: $name,
            })
        });
        $crate::api::transfer::whole::answer(pieces, $disposition).await
    }};
}

pub(crate) use whole;
