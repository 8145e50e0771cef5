//! Downloads: a file is fetched from its service in segments, each a call of its own with its own deadline. The pieces of
//! a segment are passed on as they come, and the next segment is fetched once the reader has taken this one. A segment
//! is read as fast as the service sends it, whatever the reader does: a slow reader costs one segment of memory, holds
//! no call open, and does not fill the connection to the service, which all downloads share.

use std::convert::Infallible;
use std::ops::Range;
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::StreamExt;
use futures::stream::{BoxStream, try_unfold};
use http::request::Parts as Head;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use secrecy::SecretString;
use tokio::sync::mpsc;
use tonic::Status;
use tracing::{Instrument, Span};
use wathiq_chassis::CallContext;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api::transfer::range::{Wanted, wanted};
use crate::api::{filled, percent_encode};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::clients::Clients;
use crate::problem::Problem;
use crate::session::{Presented, Standing};

/// Bytes asked for in one call.
const SEGMENT: u64 = 256 * 1024;
const SEGMENT_DEADLINE: Duration = Duration::from_secs(30);

/// A file that can be fetched from a service.
#[derive(Clone)]
pub(crate) enum File {
    Document {
        document_id: String,
    },
    Sealed {
        legalisation_request_id: String,
        kind: i32,
    },
    Linked {
        token: String,
        kind: i32,
    },
}

struct Part {
    chunk: Vec<u8>,
    total: u64,
    sha256: Vec<u8>,
    file_name: String,
}

type Parts = BoxStream<'static, Result<Part, Status>>;

macro_rules! parts {
    ($call:expr) => {
        $call
            .await?
            .into_inner()
            .map(|message| {
                message.map(|message| Part {
                    chunk: message.chunk,
                    total: message.total_bytes,
                    sha256: message.sha256,
                    file_name: message.file_name,
                })
            })
            .boxed()
    };
}

impl File {
    async fn open(&self, clients: &Clients, offset: u64, length: u64) -> Result<Parts, Status> {
        Ok(match self.clone() {
            File::Document { document_id } => {
                let request = pb::DownloadDocumentRequest {
                    document_id,
                    offset,
                    length,
                };
                parts!(clients.documents().download_document(request))
            }
            File::Sealed {
                legalisation_request_id,
                kind,
            } => {
                let request = pb::DownloadSealedFileRequest {
                    legalisation_request_id,
                    kind,
                    offset,
                    length,
                };
                parts!(clients.legalisations().download_sealed_file(request))
            }
            File::Linked { token, kind } => {
                let request = pb::DownloadByLinkRequest {
                    token,
                    kind,
                    offset,
                    length,
                };
                parts!(clients.verification().download_by_link(request))
            }
        })
    }
}

/// How a file is offered to a browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    Inline,
    Attachment,
}

/// A GET or HEAD of a file, and the session it is made with.
pub(crate) struct Asked {
    app: App,
    method: Method,
    headers: HeaderMap,
    session: Option<Session>,
}

/// The session's secret, and from where it came. A token is over long before a slow reader has a whole file.
struct Session {
    presented: Presented,
    address: String,
}

impl FromRequestParts<App> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Head, app: &App) -> Result<Self, Infallible> {
        let live = matches!(head.extensions.get::<Standing>(), Some(Standing::Live(_)));
        let presented = Presented::of(&head.headers).filter(|_| live);
        let address = head.extensions.get::<ClientAddress>();
        let address = address.map_or_else(String::new, ClientAddress::limited_as);
        Ok(Asked {
            app: app.clone(),
            method: head.method.clone(),
            headers: head.headers.clone(),
            session: presented.map(|presented| Session { presented, address }),
        })
    }
}

/// Answers a GET or HEAD of a file: 200, 206, 304 or 416.
///
/// # Errors
/// The service's refusal.
pub(crate) async fn answer(asked: Asked, file: File, disposition: Disposition) -> Result<Response, Problem> {
    let Asked {
        app,
        method,
        headers,
        session,
    } = asked;
    let mut parts = file.open(&app.clients, 0, 1).await?;
    let facts = filled(parts.next().await)??;
    drop(parts);
    let etag = format!("\"{}\"", HEXLOWER.encode(&facts.sha256));
    if matches(headers.get(header::IF_NONE_MATCH), &etag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let current = headers
        .get(header::IF_RANGE)
        .is_none_or(|value| value.as_bytes() == etag.as_bytes());
    // RFC 9110, 14.2: a range is for GET alone.
    let range = headers
        .get(header::RANGE)
        .filter(|_| current && method == Method::GET)
        .and_then(|value| value.to_str().ok());
    let (status, part) = match wanted(range, facts.total) {
        Wanted::Whole => (StatusCode::OK, 0..facts.total),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Unsatisfiable => return Ok(unsatisfiable(facts.total)),
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        body(app, file, session, part.clone())
    };
    let mut response = (status, body).into_response();
    describe(response.headers_mut(), &facts, &etag, &part, status, disposition);
    Ok(response)
}

fn unsatisfiable(total: u64) -> Response {
    let what = "no byte of the file is in the range";
    let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_NOT_SATISFIABLE", what);
    let mut response = problem.into_response();
    if let Ok(value) = HeaderValue::try_from(format!("bytes */{total}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

fn matches(header: Option<&HeaderValue>, etag: &str) -> bool {
    header.and_then(|value| value.to_str().ok()).is_some_and(|list| {
        list.trim() == "*"
            || list
                .split(',')
                .any(|tag| tag.trim().trim_start_matches("W/") == etag)
    })
}

fn describe(
    headers: &mut HeaderMap,
    facts: &Part,
    etag: &str,
    part: &Range<u64>,
    status: StatusCode,
    disposition: Disposition,
) {
    let kind = if disposition == Disposition::Inline {
        "inline"
    } else {
        "attachment"
    };
    let mut put = |name, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, "application/pdf".to_owned());
    put(header::CONTENT_LENGTH, (part.end - part.start).to_string());
    put(header::ACCEPT_RANGES, "bytes".to_owned());
    put(header::ETAG, etag.to_owned());
    // RFC 6266: the plain name for old programs, the encoded one for all scripts.
    put(
        header::CONTENT_DISPOSITION,
        format!(
            "{kind}; filename=\"document.pdf\"; filename*=UTF-8''{}",
            percent_encode(&facts.file_name)
        ),
    );
    put(header::CACHE_CONTROL, "private, no-cache".to_owned());
    if status == StatusCode::PARTIAL_CONTENT {
        put(
            header::CONTENT_RANGE,
            format!("bytes {}-{}/{}", part.start, part.end - 1, facts.total),
        );
    }
}

/// What is left of a download.
struct Progress {
    app: App,
    file: File,
    session: Option<Session>,
    bearer: Option<SecretString>,
    request_id: String,
    span: Span,
    rest: Range<u64>,
    segment: Option<mpsc::UnboundedReceiver<Result<Bytes, Status>>>,
}

fn body(app: App, file: File, session: Option<Session>, range: Range<u64>) -> Body {
    let context = CallContext::current().unwrap_or_else(|| CallContext::new(SEGMENT_DEADLINE, String::new()));
    let start = Progress {
        app,
        file,
        session,
        bearer: context.bearer,
        request_id: context.request_id,
        span: Span::current(),
        rest: range,
        segment: None,
    };
    Body::from_stream(try_unfold(start, |mut progress| async move {
        let chunk = progress.next().await?;
        Ok::<_, Status>(chunk.map(|chunk| (chunk, progress)))
    }))
}

impl Progress {
    async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        while !self.rest.is_empty() {
            let pieces = match &mut self.segment {
                Some(pieces) => pieces,
                None => {
                    self.renew().await;
                    self.segment.insert(fetch(self))
                }
            };
            match pieces.recv().await.transpose()? {
                Some(piece) => {
                    self.rest.start += length_of(&piece);
                    return Ok(Some(piece));
                }
                None => self.segment = None,
            }
        }
        Ok(None)
    }

    /// Has the token that the session is worth now. While that cannot be known, the last one is tried.
    async fn renew(&mut self) {
        let Some(Session { presented, address }) = &self.session else {
            return;
        };
        let context = CallContext::new(SEGMENT_DEADLINE, self.request_id.clone());
        let standing = context.scope(self.app.exchange.standing(presented, address));
        match standing.instrument(self.span.clone()).await {
            Standing::Live(user) => self.bearer = Some(user.token),
            Standing::Ended => self.bearer = None,
            Standing::None | Standing::Unknown(_) | Standing::Limited(_) => {}
        }
    }
}

/// Fetches the next segment beside the reader; what is queued is never more than the segment.
fn fetch(progress: &Progress) -> mpsc::UnboundedReceiver<Result<Bytes, Status>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let offset = progress.rest.start;
    let length = (progress.rest.end - offset).min(SEGMENT);
    let (clients, file) = (progress.app.clients.clone(), progress.file.clone());
    let mut context = CallContext::new(SEGMENT_DEADLINE, progress.request_id.clone());
    context.bearer.clone_from(&progress.bearer);
    let passing = async move {
        tokio::select! {
            passed = pass_on(&clients, &file, offset, length, &sender) => if let Err(status) = passed {
                // A reader that has gone needs no error.
                let _ = sender.send(Err(status));
            },
            () = sender.closed() => {}
        }
    };
    tokio::spawn(context.scope(passing).instrument(progress.span.clone()));
    receiver
}

async fn pass_on(
    clients: &Clients,
    file: &File,
    offset: u64,
    length: u64,
    sender: &mpsc::UnboundedSender<Result<Bytes, Status>>,
) -> Result<(), Status> {
    let mut left = length;
    let mut parts = file.open(clients, offset, length).await?;
    while let Some(part) = parts.next().await.transpose()? {
        let piece = Bytes::from(part.chunk);
        left = left
            .checked_sub(length_of(&piece))
            .ok_or_else(|| Status::internal("a service sent more than was asked for"))?;
        if !piece.is_empty() {
            let _ = sender.send(Ok(piece));
        }
    }
    if left > 0 {
        return Err(Status::data_loss("a service ended a file early"));
    }
    Ok(())
}

fn length_of(piece: &Bytes) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}
