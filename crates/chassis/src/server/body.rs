//! The answer's body: it ends at the deadline, stays in the call's span and context, and reports how the call ended.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;
use tonic::{Code, Status, body::Body};
use tracing::Span;

use crate::{
    context::CallContext,
    status,
    telemetry::names::{RPC_SERVER_CALL_DURATION_SECONDS, code_name},
};

/// How a call went, recorded when it is dropped at the latest.
pub(super) struct Record {
    method: &'static str,
    span: Span,
    started: Instant,
    code: Code,
}

impl Record {
    pub(super) fn new(method: &'static str, span: Span) -> Self {
        // A call that ends without any status was given up by the client.
        Self {
            method,
            span,
            started: Instant::now(),
            code: Code::Cancelled,
        }
    }

    fn read(&mut self, headers: &HeaderMap) {
        if let Some(code) = headers.get(Status::GRPC_STATUS) {
            self.code = Code::from_bytes(code.as_bytes());
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let code = code_name(self.code);
        self.span.record("rpc.response.status_code", code);
        metrics::histogram!(
            RPC_SERVER_CALL_DURATION_SECONDS,
            "rpc_method" => self.method,
            "rpc_response_status_code" => code
        )
        .record(self.started.elapsed());
    }
}

pub(super) struct CallBody {
    inner: Body,
    context: CallContext,
    deadline: Pin<Box<Sleep>>,
    record: Record,
    ended: bool,
}

impl CallBody {
    pub(super) fn new(headers: &HeaderMap, inner: Body, context: CallContext, mut record: Record) -> Self {
        record.read(headers);
        let deadline = Box::pin(tokio::time::sleep_until(context.deadline));
        let ended = headers.contains_key(Status::GRPC_STATUS);
        Self {
            inner,
            context,
            deadline,
            record,
            ended,
        }
    }

    /// Ends the answer with a status of ours: it has begun, so the status goes into the trailers.
    fn end_with(&mut self, status: &Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.ended = true;
        let mut trailers = HeaderMap::new();
        if let Err(status) = status.add_header(&mut trailers) {
            return Poll::Ready(Some(Err(status)));
        }
        self.record.read(&trailers);
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

impl http_body::Body for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        if this.deadline.as_mut().poll(cx).is_ready() {
            return this.end_with(&status::deadline_exceeded());
        }
        let span = this.record.span.clone();
        let _entered = span.enter();
        let (context, inner) = (&this.context, &mut this.inner);
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| {
            context.sync_scope(|| Pin::new(inner).poll_frame(cx))
        }));
        match polled {
            Err(_panic) => {
                let status = status::internal_answer(status::PLATFORM, &this.context.request_id);
                this.end_with(&status)
            }
            Ok(poll) => {
                let frame = ready!(poll);
                if let Some(Ok(frame)) = &frame
                    && let Some(trailers) = frame.trailers_ref()
                {
                    this.record.read(trailers);
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.ended {
            SizeHint::with_exact(0)
        } else {
            self.inner.size_hint()
        }
    }
}
