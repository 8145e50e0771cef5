//! Uploads: the body is passed on to the service as it arrives, no faster than the service reads.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::extract::{FromRequest, Multipart, Request};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt};
use http::{HeaderMap, StatusCode, header};
use tokio::sync::mpsc;
use tonic::Status;

use crate::json::body_problem;
use crate::patience::Sender;
use crate::problem::Problem;
use crate::slots::{Full, Slot, Slots};

/// Largest chunk that the services take.
const CHUNK: usize = 256 * 1024;
/// Chunks read ahead of the service.
const AHEAD: usize = 2;

/// A place for a file on its way. Where all are taken, the slowest sender of those that have been waited for makes room.
///
/// # Errors
/// `UPLOADS_TOO_MANY` where whoever sends has as many under way as one may, `UPLOADS_BUSY` where all places are taken.
pub(crate) fn place(places: &Arc<Slots>, whom: String, request: &Request) -> Result<Slot, Problem> {
    let taken = match request.extensions().get::<Sender>() {
        Some(sender) => places.take_for(whom, sender.clone()),
        None => places.take(Some(whom)),
    };
    taken.map_err(|full| {
        let (status, reason, what) = match full {
            Full::Each => (
                StatusCode::TOO_MANY_REQUESTS,
                "UPLOADS_TOO_MANY",
                "you are sending too many files at once: wait until one has been sent",
            ),
            Full::All => (
                StatusCode::SERVICE_UNAVAILABLE,
                "UPLOADS_BUSY",
                "too many files are being sent: try again in a moment",
            ),
        };
        Problem::new(status, reason, what).retry_after(Duration::from_secs(5))
    })
}

/// A file in a request body: the body itself, or the first file of a form.
pub(crate) struct Upload {
    source: Source,
    /// Name given by the caller, empty when none.
    pub(crate) file_name: String,
    /// Length of the file where known before reading.
    pub(crate) length: Option<u64>,
}

enum Source {
    Whole(BodyDataStream),
    Form(Box<Multipart>),
}

/// One message of an upload: the name and length first, then bytes.
pub(crate) enum Piece {
    Start { file_name: String, length: u64 },
    Chunk(Vec<u8>),
}

impl Upload {
    /// Takes the request apart without reading the file.
    ///
    /// # Errors
    /// `UNSUPPORTED_MEDIA_TYPE`, `FILE_TOO_LARGE` where the declared length says so, `BODY_UNREADABLE` for a form
    /// without boundary.
    pub(crate) async fn open(request: Request, limit: u64) -> Result<Self, Problem> {
        Self::open_one_of(request, limit, &["application/pdf"]).await
    }

    /// The same for files of some types, which the service tells apart by their bytes.
    ///
    /// # Errors
    /// As [`Upload::open`].
    pub(crate) async fn open_one_of(request: Request, limit: u64, kinds: &[&str]) -> Result<Self, Problem> {
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
            Some(kind) if kind == "application/octet-stream" || kinds.contains(&kind) => {
                if declared.is_some_and(|length| length > limit) {
                    return Err(too_large(limit));
                }
                let file_name = disposition_name(headers).unwrap_or_default();
                let source = Source::Whole(request.into_body().into_data_stream());
                Ok(Upload {
                    source,
                    file_name,
                    length: declared,
                })
            }
            Some("multipart/form-data") => {
                // Boundaries and other fields take room, but not a megabyte.
                if declared.is_some_and(|length| length > limit + 1024 * 1024) {
                    return Err(too_large(limit));
                }
                let form = Multipart::from_request(request, &()).await;
                let form = form.map_err(|rejection| body_problem(rejection.status()))?;
                Ok(Upload {
                    source: Source::Form(Box::new(form)),
                    file_name: String::new(),
                    length: None,
                })
            }
            _ => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                format!(
                    "send the file as {}, or in a form as multipart/form-data",
                    kinds.join(", ")
                ),
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
    pub(crate) fn send<M, T, F>(
        self,
        place: Slot,
        limit: u64,
        message: impl Fn(Piece) -> Option<M> + Send + Sync + 'static,
        call: impl FnOnce(Messages<M>) -> F,
    ) -> BoxFuture<'static, Result<T, Problem>>
    where
        M: Send + 'static,
        T: Send + 'static,
        F: Future<Output = Result<tonic::Response<T>, Status>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let pump = self.pump(Pump {
            sender,
            message,
            limit,
            sent: 0,
        });
        let call = call(Messages(receiver));
        async move {
            let _place = place;
            tokio::pin!(pump, call);
            tokio::select! {
                biased;
                read = &mut pump => read?,
                answer = &mut call => return Ok(answer?.into_inner()),
            }
            Ok(call.await?.into_inner())
        }
        .boxed()
    }

    async fn pump<M, P: Fn(Piece) -> Option<M>>(self, mut pump: Pump<M, P>) -> Result<(), Problem> {
        let length = self.length.unwrap_or(0);
        match self.source {
            Source::Whole(mut stream) => {
                pump.pass_on(Piece::Start {
                    file_name: self.file_name,
                    length,
                })
                .await;
                while let Some(chunk) = stream.next().await {
                    pump.pass_on_chunk(&chunk.map_err(|_| body_problem(StatusCode::BAD_REQUEST))?)
                        .await?;
                }
            }
            Source::Form(mut form) => {
                let broken = |error: axum::extract::multipart::MultipartError| body_problem(error.status());
                let mut field = loop {
                    let field = form
                        .next_field()
                        .await
                        .map_err(broken)?
                        .ok_or_else(missing_file)?;
                    if field.file_name().is_some_and(|name| !name.is_empty()) {
                        break field;
                    }
                };
                let file_name = field.file_name().unwrap_or_default().to_owned();
                pump.pass_on(Piece::Start { file_name, length }).await;
                while let Some(chunk) = field.chunk().await.map_err(broken)? {
                    pump.pass_on_chunk(&chunk).await?;
                }
            }
        }
        pump.end().await;
        Ok(())
    }
}

fn missing_file() -> Problem {
    Problem::field("/file", "FILE_MISSING", "the form has no file")
}

/// Hands pieces over to the call. A service that listens no more has answered already, so nothing is lost then.
struct Pump<M, P> {
    sender: mpsc::Sender<Option<M>>,
    message: P,
    limit: u64,
    sent: u64,
}

impl<M, P: Fn(Piece) -> Option<M>> Pump<M, P> {
    async fn pass_on(&self, piece: Piece) {
        if let Some(message) = (self.message)(piece) {
            let _ = self.sender.send(Some(message)).await;
        }
    }

    async fn pass_on_chunk(&mut self, bytes: &Bytes) -> Result<(), Problem> {
        self.sent += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.sent > self.limit {
            return Err(too_large(self.limit));
        }
        for piece in bytes.chunks(CHUNK) {
            self.pass_on(Piece::Chunk(piece.to_vec())).await;
        }
        Ok(())
    }

    /// The end of the stream, said only after the whole file.
    async fn end(&self) {
        let _ = self.sender.send(None).await;
    }
}

/// The messages of a call. It ends only when the end was said; where the sender is gone before that, it waits until the
/// call is given up.
pub(crate) struct Messages<M>(mpsc::Receiver<Option<M>>);

impl<M> Stream for Messages<M> {
    type Item = M;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<M>> {
        match ready!(self.0.poll_recv(context)) {
            Some(message) => Poll::Ready(message),
            None => Poll::Pending,
        }
    }
}

/// What a body larger than its address takes is answered.
#[must_use]
pub(crate) fn too_large(limit: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "FILE_TOO_LARGE",
        "the file is larger than this address takes",
    )
    .with("limit_bytes", limit.to_string())
}

/// The file name of `Content-Disposition` (RFC 6266): the encoded one before the plain one.
fn disposition_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let parameter = |name: &str| {
        value.split(';').skip(1).find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    parameter("filename*")
        .and_then(|encoded| {
            percent_decode(
                encoded
                    .strip_prefix("UTF-8''")
                    .or(encoded.strip_prefix("utf-8''"))?,
            )
        })
        .or_else(|| parameter("filename"))
}

/// Undoes percent-encoding; none where it is broken or no UTF-8.
#[must_use]
pub(crate) fn percent_decode(text: &str) -> Option<String> {
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
