//! Uploads: the body is passed on to the service as it arrives, no faster than the service reads.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::extract::{FromRequest, Multipart, Request};
use bytes::Bytes;
use futures::stream::{BoxStream, unfold};
use futures::{Stream, StreamExt};
use http::{HeaderMap, StatusCode, header};
use tokio::sync::mpsc;
use tonic::Status;

use crate::app::App;
use crate::json::body_problem;
use crate::problem::Problem;

/// Largest chunk that the services take.
const CHUNK: usize = 256 * 1024;
/// Chunks read ahead of the service.
const AHEAD: usize = 2;

/// A file in a request body: the body itself, or the first file of a form.
pub struct Upload {
    source: Source,
    /// Name given by the caller, empty when none.
    pub file_name: String,
    /// Length of the file where known before reading.
    pub length: Option<u64>,
}

enum Source {
    Whole(BodyDataStream),
    Form(Box<Multipart>),
}

/// One message of an upload: the name and length first, then bytes.
pub enum Piece {
    Start { file_name: String, length: u64 },
    Chunk(Vec<u8>),
}

impl Upload {
    /// Takes the request apart without reading the file.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE`, `FILE_TOO_LARGE` where the declared length says so, `BODY_UNREADABLE` for a form
    /// without boundary.
    pub async fn open(request: Request, limit: u64) -> Result<Self, Problem> {
        let headers = request.headers();
        let essence = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map(|value| value.trim().to_ascii_lowercase());
        let declared: Option<u64> = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse().ok());
        match essence.as_deref() {
            Some("application/pdf" | "application/octet-stream") => {
                if declared.is_some_and(|length| length > limit) {
                    return Err(too_large(limit));
                }
                let file_name = disposition_name(headers).unwrap_or_default();
                let source = Source::Whole(request.into_body().into_data_stream());
                Ok(Upload { source, file_name, length: declared })
            }
            Some("multipart/form-data") => {
                // Boundaries and other fields take room, but not a megabyte.
                if declared.is_some_and(|length| length > limit + 1024 * 1024) {
                    return Err(too_large(limit));
                }
                let form = Multipart::from_request(request, &()).await;
                let form = form.map_err(|rejection| body_problem(rejection.status()))?;
                Ok(Upload { source: Source::Form(Box::new(form)), file_name: String::new(), length: None })
            }
            _ => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "send the file as application/pdf, or in a form as multipart/form-data",
            )),
        }
    }

    /// Sends the file to a service and waits for its answer.
    ///
    /// A body that breaks off never ends the service's stream: the call is given up instead, so that half a file is
    /// not taken for a whole one.
    ///
    /// # Errors
    /// What is wrong with the body, or the service's refusal, whichever comes first.
    pub async fn send<M, T, F>(
        self,
        app: &App,
        limit: u64,
        message: impl Fn(Piece) -> Option<M> + Send,
        call: impl FnOnce(BoxStream<'static, M>) -> F,
    ) -> Result<T, Problem>
    where
        M: Send + 'static,
        F: Future<Output = Result<tonic::Response<T>, Status>>,
    {
        let Ok(_permit) = app.uploads.try_acquire() else {
            return Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "UPLOADS_BUSY",
                "too many files are being sent: try again in a moment",
            )
            .retry_after(Duration::from_secs(5)));
        };
        let (sender, receiver) = mpsc::channel(AHEAD);
        let pump = self.pump(limit, message, &sender);
        let call = call(messages(receiver).boxed());
        tokio::pin!(pump, call);
        tokio::select! {
            biased;
            read = &mut pump => read?,
            answer = &mut call => return Ok(answer?.into_inner()),
        }
        Ok(call.await?.into_inner())
    }

    async fn pump<M>(
        self,
        limit: u64,
        message: impl Fn(Piece) -> Option<M>,
        sender: &mpsc::Sender<Option<M>>,
    ) -> Result<(), Problem> {
        let (mut chunks, file_name) = match self.source {
            Source::Whole(stream) => (stream.map(|chunk| chunk.map_err(unreadable)).boxed(), self.file_name),
            Source::Form(form) => file_of(*form).await?,
        };
        let start = Piece::Start { file_name, length: self.length.unwrap_or(0) };
        let mut sent = 0_u64;
        if !pass_on(sender, message(start)).await {
            return Ok(());
        }
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            sent += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if sent > limit {
                return Err(too_large(limit));
            }
            for piece in chunk.chunks(CHUNK) {
                if !pass_on(sender, message(Piece::Chunk(piece.to_vec()))).await {
                    return Ok(());
                }
            }
        }
        // The end of the stream, said only here; a service that is gone has answered already.
        let _ = sender.send(None).await;
        Ok(())
    }
}

/// False when the service listens no more: its answer is on the way.
async fn pass_on<M>(sender: &mpsc::Sender<Option<M>>, message: Option<M>) -> bool {
    match message {
        Some(message) => sender.send(Some(message)).await.is_ok(),
        None => true,
    }
}

fn messages<M: Send + 'static>(receiver: mpsc::Receiver<Option<M>>) -> impl Stream<Item = M> + Send + 'static {
    unfold(receiver, |mut receiver| async move {
        match receiver.recv().await {
            Some(Some(message)) => Some((message, receiver)),
            Some(None) => None,
            None => match pending::<Infallible>().await {},
        }
    })
}

type Chunks = BoxStream<'static, Result<Bytes, Problem>>;

async fn file_of(mut form: Multipart) -> Result<(Chunks, String), Problem> {
    let missing = || Problem::field("/file", "FILE_MISSING", "the form has no file");
    loop {
        let field = form.next_field().await.map_err(|error| body_problem(error.status()))?;
        let field = field.ok_or_else(missing)?;
        let Some(file_name) = field.file_name().map(str::to_owned) else { continue };
        drop(field);
        let _ = file_name;
        return Err(missing());
    }
}

fn unreadable(_: axum::Error) -> Problem {
    body_problem(StatusCode::BAD_REQUEST)
}

/// What a body larger than its address takes is answered.
#[must_use]
pub fn too_large(limit: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "FILE_TOO_LARGE", "the file is larger than this address takes")
        .with("limit_bytes", limit.to_string())
}

/// The file name of `Content-Disposition` (RFC 6266): the encoded one before the plain one.
fn disposition_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let parameter = |name: &str| {
        value.split(';').skip(1).find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    parameter("filename*")
        .and_then(|encoded| percent_decode(encoded.strip_prefix("UTF-8''").or(encoded.strip_prefix("utf-8''"))?))
        .or_else(|| parameter("filename"))
}

/// Undoes percent-encoding; none where it is broken or no UTF-8.
#[must_use]
pub fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}
