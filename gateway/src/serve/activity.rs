//! What goes on in a connection: requests under way, readers that take nothing, and pauses between requests.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::config::Limits;

/// Largest piece of an answer handed to the connection at once, so that a slow reader shows progress in time.
const PIECE: usize = 32 * 1024;
/// From asking a silent peer to close until closing.
const GRACE: Duration = Duration::from_secs(2);

/// What should become of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No request for too long.
    Idle,
    /// A reader takes nothing of an answer.
    Stalled,
}

/// The activity of one connection.
pub(super) struct Activity {
    idle: Duration,
    pause: Duration,
    state: Mutex<State>,
}

struct State {
    under_way: usize,
    idle_since: Instant,
    /// The pause before the next request that is allowed.
    allowed: Duration,
    closing: bool,
    /// The connection has taken no bytes since then.
    blocked_since: Option<Instant>,
    /// Answers whose last piece was handed over then, and no further one asked for.
    unread_since: HashMap<u64, Instant>,
    next: u64,
}

impl Activity {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        let state = State {
            under_way: 0,
            idle_since: Instant::now(),
            allowed: Duration::from_secs(limits.first_request_seconds),
            closing: false,
            blocked_since: None,
            unread_since: HashMap::new(),
            next: 0,
        };
        Arc::new(Activity {
            idle: Duration::from_secs(limits.idle_seconds),
            pause: Duration::from_secs(limits.reader_pause_seconds),
            state: Mutex::new(state),
        })
    }

    /// A request has begun; it lasts as long as what is given back.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        let mut state = self.lock();
        state.under_way += 1;
        state.next += 1;
        UnderWay {
            number: state.next,
            activity: Arc::clone(self),
        }
    }

    /// The peer was asked to close: it has little time left.
    pub(super) fn closing(&self) {
        let mut state = self.lock();
        state.closing = true;
        state.idle_since = Instant::now();
        state.allowed = GRACE;
    }

    /// Waits until something must be done.
    pub(super) async fn verdict(&self) -> Verdict {
        loop {
            let due = match self.due(Instant::now()) {
                Ok(verdict) => return verdict,
                Err(due) => due,
            };
            tokio::time::sleep_until(due).await;
        }
    }

    /// The verdict, or when to look again.
    fn due(&self, now: Instant) -> Result<Verdict, Instant> {
        let state = self.lock();
        let unread = state.unread_since.values().chain(&state.blocked_since).min();
        let stalled = unread.map(|since| *since + self.pause);
        if stalled.is_some_and(|at| at <= now) {
            return Ok(Verdict::Stalled);
        }
        let idle = (state.under_way == 0).then(|| state.idle_since + state.allowed);
        if idle.is_some_and(|at| at <= now) {
            return Ok(Verdict::Idle);
        }
        // What begins meanwhile is noticed at the latest one span later.
        let again = now + self.pause.min(self.idle).min(state.allowed);
        Err([stalled, idle].into_iter().flatten().fold(again, Instant::min))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes whether the connection took bytes.
    fn wrote(&self, taken: bool) {
        let mut state = self.lock();
        if taken {
            state.blocked_since = None;
        } else {
            state.blocked_since.get_or_insert_with(Instant::now);
        }
    }
}

/// A request under way.
pub(super) struct UnderWay {
    number: u64,
    activity: Arc<Activity>,
}

impl UnderWay {
    pub(super) fn answer(self, body: Body) -> Body {
        Body::new(Answer {
            body,
            rest: Bytes::new(),
            under_way: self,
        })
    }

    fn unread(&self, since: Option<Instant>) {
        let mut state = self.activity.lock();
        match since {
            Some(since) => state.unread_since.insert(self.number, since),
            None => state.unread_since.remove(&self.number),
        };
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        state.unread_since.remove(&self.number);
        state.under_way -= 1;
        if state.under_way == 0 {
            state.idle_since = Instant::now();
            if !state.closing {
                state.allowed = self.activity.idle;
            }
        }
    }
}

/// The body of an answer, in small pieces; notes when the connection asks for the next one.
struct Answer {
    body: Body,
    rest: Bytes,
    under_way: UnderWay,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        this.under_way.unread(None);
        if this.rest.is_empty() {
            let frame = match Pin::new(&mut this.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => frame,
                other => return other,
            };
            match frame.into_data() {
                Ok(data) => this.rest = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        this.under_way.unread(Some(Instant::now()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let held = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint.set_lower(inner.lower().saturating_add(held));
        hint
    }
}

/// A connection's bytes; notes when the other side takes none.
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.activity.wrote(polled.is_ready());
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.activity.wrote(polled.is_ready());
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.activity.wrote(polled.is_ready());
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.activity.wrote(polled.is_ready());
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
