//! The answer's body as the client reads it: it ends at the deadline and reports how the call ended.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant as StdInstant,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};
use tonic::{Code, Status};
use tracing::Span;

use crate::{
    status,
    telemetry::names::{RPC_CLIENT_CALL_DURATION_SECONDS, code_name},
};

/// How a call went, recorded when it is dropped at the latest.
pub(super) struct Record {
    method: String,
    upstream: String,
    span: Span,
    started: StdInstant,
    code: Code,
}

impl Record {
    pub(super) fn new(method: &str, upstream: &str, span: Span) -> Self {
        Self {
            method: method.to_owned(),
            upstream: upstream.to_owned(),
            span,
            started: StdInstant::now(),
            // Without any status, it was this side that gave the call up.
            code: Code::Cancelled,
        }
    }

    pub(super) fn read(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(Status::GRPC_STATUS) {
            self.code = Code::from_bytes(code.as_bytes());
        }
    }

    pub(super) fn fail(&mut self, status: Status) -> Status {
        self.code = status.code();
        status
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let code = code_name(self.code);
        self.span.record("rpc.response.status_code", code);
        metrics::histogram!(
            RPC_CLIENT_CALL_DURATION_SECONDS,
            "rpc_method" => std::mem::take(&mut self.method),
            "server" => std::mem::take(&mut self.upstream),
            "rpc_response_status_code" => code
        )
        .record(self.started.elapsed());
    }
}

/// The body of an answer.
pub struct ClientBody {
    inner: Incoming,
    deadline: Pin<Box<Sleep>>,
    record: Record,
}

impl ClientBody {
    pub(super) fn new(inner: Incoming, deadline: Instant, record: Record) -> Self {
        Self {
            inner,
            deadline: Box::pin(tokio::time::sleep_until(deadline)),
            record,
        }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| match frame {
                Ok(frame) => {
                    if let Some(trailers) = frame.trailers_ref() {
                        this.record.read(trailers);
                    }
                    Ok(frame)
                }
                Err(error) => Err(this.record.fail(Status::from_error(Box::new(error)))),
            }));
        }
        ready!(this.deadline.as_mut().poll(cx));
        Poll::Ready(Some(Err(this.record.fail(status::deadline_exceeded()))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
