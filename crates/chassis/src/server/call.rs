//! One call, from its headers to its answer.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;
use tonic::{Status, body::Body};
use tower::Service;
use tracing::{Instrument, Span, field::Empty};

use super::{
    DEFAULT_DEADLINE, LONGEST_DEADLINE, LONGEST_STREAM, Shared,
    body::{CallBody, Record},
    parse_timeout,
};
use crate::{
    context::CallContext,
    status,
    telemetry::{self, TRACEPARENT},
    tls::PeerName,
};

pub(crate) const REQUEST_ID: &str = "x-request-id";
pub(crate) const GRPC_TIMEOUT: &str = "grpc-timeout";
const LONGEST_REQUEST_ID: usize = 64;

pub(super) async fn handle(
    shared: Arc<Shared>,
    peer: PeerName,
    request: Request<Incoming>,
) -> Result<Response<CallBody>, Infallible> {
    let method = shared.label(request.uri().path());
    let longest = if shared.streams.contains(request.uri().path()) {
        LONGEST_STREAM
    } else {
        LONGEST_DEADLINE
    };
    let context = context_of(request.headers(), longest);
    let span = span_of(request.headers(), method, &peer, &context.request_id);
    let record = Record::new(method, span.clone());
    let answer = answer(&shared, peer, request, &context).instrument(span).await;
    let (head, body) = answer.unwrap_or_else(Status::into_http).into_parts();
    let body = CallBody::new(&head.headers, body, context, record);
    Ok(Response::from_parts(head, body))
}

async fn answer(
    shared: &Shared,
    peer: PeerName,
    mut request: Request<Incoming>,
    context: &CallContext,
) -> Result<Response<Body>, Status> {
    let path = request.uri().path().to_owned();
    let user = shared
        .authorise(&peer, &path, request.headers())
        .await
        .inspect_err(|status| {
            let reason = status::reason(status).unwrap_or_default();
            tracing::info!(event = "rpc.refused", path, reason, "a call was refused");
        })?;
    let mut context = context.clone();
    if let Some(user) = user {
        request.extensions_mut().insert(user.caller);
        context = context.with_bearer(user.bearer);
    }
    request.extensions_mut().insert(peer);
    let deadline = context.deadline;
    let request_id = context.request_id.clone();
    let handler = context.scope(shared.routes.clone().call(request));
    match tokio::time::timeout_at(deadline, AssertUnwindSafe(handler).catch_unwind()).await {
        Ok(Ok(Ok(response))) => Ok(response),
        // The panic hook has logged it, inside this call's span.
        Ok(Err(_panic)) => Err(status::internal_answer(status::PLATFORM, &request_id)),
        Err(_elapsed) => Err(status::deadline_exceeded()),
    }
}

fn context_of(headers: &HeaderMap, longest: Duration) -> CallContext {
    let timeout = headers
        .get(GRPC_TIMEOUT)
        .and_then(|value| parse_timeout(value.to_str().ok()?))
        .map_or(DEFAULT_DEADLINE, |timeout| timeout.min(longest));
    let request_id = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| !id.is_empty() && id.len() <= LONGEST_REQUEST_ID)
        .map_or_else(|| status::new_correlation_id().to_string(), str::to_owned);
    CallContext {
        deadline: Instant::now() + timeout,
        bearer: None,
        request_id,
    }
}

fn span_of(headers: &HeaderMap, method: &'static str, peer: &PeerName, request_id: &str) -> Span {
    // Names after the OpenTelemetry semantic conventions for RPC (release candidate).
    let span = tracing::info_span!(
        "rpc.server",
        otel.name = method.trim_start_matches('/'),
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.method = method,
        rpc.response.status_code = Empty,
        client = peer.0,
        request_id,
    );
    if let Some(parent) = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()) {
        telemetry::set_parent(&span, parent);
    }
    span
}
