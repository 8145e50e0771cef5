//! Outgoing calls: one [`Channel`] per upstream, shared by cloning, given to the generated clients.
//!
//! A call goes to the replicas in turn over mTLS; the peer must carry the expected name. Deadline, trace, user and
//! correlation id of the call in progress (see [`CallContext`]) go along; an `authorization` or `grpc-timeout` that
//! the request carries already is respected, the time-out never beyond what is left. A call is tried on another
//! replica only when it surely was not sent: retries of anything else are the caller's decision (AIP-194).

mod body;
mod endpoint;
mod pool;

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response, Uri, header, uri::PathAndQuery};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tonic::{Status, body::Body};
use tower::Service;
use tracing::{Instrument, Span, field::Empty};

use self::{
    body::{ClientBody, Record},
    pool::Pool,
};
use crate::{
    config::{TlsFiles, UpstreamConfig},
    context::CallContext,
    server::{GRPC_TIMEOUT, REQUEST_ID, parse_timeout},
    status::{self, PLATFORM},
    telemetry::{self, TRACEPARENT},
    tls::{TlsError, TlsIdentity},
};

const DEFAULT_DEADLINE: Duration = Duration::from_secs(15);
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("wathiq/", env!("CARGO_PKG_VERSION")));

/// A channel to one upstream, lazily connected; it reads changed certificate files at its next connection.
///
/// Must be called inside a tokio runtime.
///
/// # Errors
/// [`TlsError`] when the certificate files cannot be used or the upstream has no usable name.
pub fn channel(upstream: &UpstreamConfig, tls: &TlsFiles, trust_domain: &str) -> Result<Channel, TlsError> {
    let identity = TlsIdentity::load(tls, trust_domain)?;
    Ok(Channel {
        pool: Arc::new(Pool::new(upstream, identity)?),
    })
}

/// What the generated clients call through; cheap to clone.
#[derive(Clone)]
pub struct Channel {
    pool: Arc<Pool>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Channel")
            .field("upstream", &self.pool.name())
            .finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<ClientBody>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let pool = Arc::clone(&self.pool);
        let context = CallContext::current();
        let span = span_of(request.uri().path(), pool.name());
        Box::pin(send(pool, request, context, span.clone()).instrument(span))
    }
}

async fn send(
    pool: Arc<Pool>,
    mut request: Request<Body>,
    context: Option<CallContext>,
    span: Span,
) -> Result<Response<ClientBody>, Status> {
    let mut record = Record::new(request.uri().path(), pool.name(), span.clone());
    let deadline = deadline_of(request.headers(), context.as_ref());
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(record.fail(status::deadline_exceeded()));
    }
    *request.uri_mut() = absolute(request.uri(), pool.name());
    dress(request.headers_mut(), context.as_ref(), &span, left);
    match tokio::time::timeout_at(deadline, pool.send(request)).await {
        Ok(Ok(response)) => {
            let (head, body) = response.into_parts();
            record.read(&head.headers);
            Ok(Response::from_parts(
                head,
                ClientBody::new(body, deadline, record),
            ))
        }
        Ok(Err(status)) => Err(record.fail(status)),
        Err(_elapsed) => Err(record.fail(status::deadline_exceeded())),
    }
}

/// The earliest of what the request says, what the call in progress has left, and the default.
fn deadline_of(headers: &HeaderMap, context: Option<&CallContext>) -> Instant {
    let asked = headers
        .get(GRPC_TIMEOUT)
        .and_then(|value| parse_timeout(value.to_str().ok()?));
    let own = match (asked, context) {
        (Some(asked), _) => Some(Instant::now() + asked),
        (None, Some(_)) => None,
        (None, None) => Some(Instant::now() + DEFAULT_DEADLINE),
    };
    match (own, context.map(|context| context.deadline)) {
        (Some(own), Some(outer)) => own.min(outer),
        (Some(deadline), None) | (None, Some(deadline)) => deadline,
        (None, None) => Instant::now() + DEFAULT_DEADLINE,
    }
}

/// Puts on the headers that every outgoing call carries.
fn dress(headers: &mut HeaderMap, context: Option<&CallContext>, span: &Span, left: Duration) {
    headers.insert(header::USER_AGENT, USER_AGENT);
    insert(headers, GRPC_TIMEOUT, &format_timeout(left));
    if let Some(traceparent) = telemetry::traceparent_of(span) {
        insert(headers, TRACEPARENT, &traceparent);
    }
    let Some(context) = context else { return };
    insert(headers, REQUEST_ID, &context.request_id);
    if let Some(bearer) = &context.bearer
        && !headers.contains_key(header::AUTHORIZATION)
        && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", bearer.expose_secret()))
    {
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    // Made of digits, hexadecimal digits or a value that came in as a header: it can be one.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// gRPC over HTTP/2: at most eight digits and a unit; milliseconds, rounded up so that a rest is not none.
fn format_timeout(left: Duration) -> String {
    let milliseconds = left.as_millis().max(1);
    if milliseconds < 100_000_000 {
        format!("{milliseconds}m")
    } else {
        format!("{}S", left.as_secs())
    }
}

fn absolute(uri: &Uri, upstream: &str) -> Uri {
    let path = uri
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    Uri::builder()
        .scheme("https")
        .authority(upstream)
        .path_and_query(path)
        .build()
        .expect("the pool has checked that the upstream's name is an authority")
}

fn span_of(path: &str, upstream: &str) -> Span {
    tracing::info_span!(
        "rpc.client",
        otel.name = path.trim_start_matches('/'),
        otel.kind = "client",
        rpc.system = "grpc",
        rpc.method = path,
        rpc.response.status_code = Empty,
        server = upstream,
    )
}

fn upstream_unavailable(upstream: &str) -> Status {
    let status = status::unavailable(
        PLATFORM,
        "UPSTREAM_UNAVAILABLE",
        Duration::from_secs(1),
        format!("{upstream} cannot be reached"),
    );
    status::with_metadata(status, &[("upstream", upstream.to_owned())])
}
