//! How long a request body may take: so many bytes in each span of waiting, and an end to all of it. Only the waiting
//! for the sender counts towards a span; a service that takes the bytes slowly is not the sender's fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures::StreamExt;
use futures::stream::unfold;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::config::Limits;

/// The patience with one body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    span: Duration,
    bytes: u64,
    whole: Duration,
}

impl Patience {
    /// With a body that carries a file, or another.
    pub(crate) fn of(limits: &Limits, carries_file: bool) -> Self {
        let whole = if carries_file {
            limits.upload_seconds
        } else {
            limits.body_seconds
        };
        Patience {
            span: Duration::from_secs(limits.sender_span_seconds),
            bytes: limits.sender_bytes,
            whole: Duration::from_secs(whole),
        }
    }

    /// The longest that the body may take.
    pub(crate) fn whole(self) -> Duration {
        self.whole
    }

    /// The body, which breaks off where it comes too slowly, and its sender.
    pub(crate) fn with(self, body: Body) -> (Body, Sender) {
        let sender = Sender::new(self.span * SPANS_OF_GRACE);
        let reader = Reader {
            stream: body.into_data_stream(),
            pace: Pace::new(self, Instant::now()),
            sender: sender.clone(),
        };
        let stream = unfold(Some(reader), |reader| async move { reader?.next().await });
        (Body::from_stream(stream), sender)
    }
}

/// How many spans a sender may be waited for before it has to make room for others.
const SPANS_OF_GRACE: u32 = 2;

/// The sender of a body: how fast the bytes come, and the means to give it up.
#[derive(Debug, Clone)]
pub(crate) struct Sender(Arc<Sending>);

#[derive(Debug)]
struct Sending {
    grace: Duration,
    brought: AtomicU64,
    waited_milliseconds: AtomicU64,
    /// All has come.
    whole: AtomicBool,
    /// The body was broken off.
    late: AtomicBool,
    given_up: CancellationToken,
}

impl Sender {
    pub(crate) fn new(grace: Duration) -> Self {
        Sender(Arc::new(Sending {
            grace,
            brought: AtomicU64::new(0),
            waited_milliseconds: AtomicU64::new(0),
            whole: AtomicBool::new(false),
            late: AtomicBool::new(false),
            given_up: CancellationToken::new(),
        }))
    }

    /// Whether the body was broken off because of its sender.
    pub(crate) fn is_late(&self) -> bool {
        self.0.late.load(Ordering::Relaxed)
    }

    /// Bytes a second, where the sender has been waited for longer than everyone is granted and still is to bring
    /// something.
    pub(crate) fn is_slow(&self) -> Option<u64> {
        let waited = self.0.waited_milliseconds.load(Ordering::Relaxed);
        let in_grace = Duration::from_millis(waited) < self.0.grace;
        if in_grace || self.0.whole.load(Ordering::Relaxed) {
            return None;
        }
        let brought = self.0.brought.load(Ordering::Relaxed);
        Some(brought.saturating_mul(1000) / waited.max(1))
    }

    /// Breaks the body off, so that others have room.
    pub(crate) fn give_up(&self) {
        self.0.given_up.cancel();
    }

    pub(crate) fn brought(&self, bytes: usize, waited: Duration) {
        let milliseconds = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.0.brought.fetch_add(bytes, Ordering::Relaxed);
        self.0
            .waited_milliseconds
            .fetch_add(milliseconds, Ordering::Relaxed);
    }
}

struct Reader {
    stream: BodyDataStream,
    pace: Pace,
    sender: Sender,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<Bytes, axum::Error>, Option<Self>)> {
        let began = Instant::now();
        let coming = timeout_at(self.pace.until(began), self.stream.next());
        let came = tokio::select! {
            biased;
            () = self.sender.0.given_up.cancelled() => Err(axum::Error::new("others need the room")),
            item = coming => item.map_err(axum::Error::new),
        };
        match came {
            Ok(Some(item)) => {
                let (bytes, waited) = (item.as_ref().map_or(0, Bytes::len), began.elapsed());
                self.pace.came(bytes, waited);
                self.sender.brought(bytes, waited);
                Some((item, Some(self)))
            }
            Ok(None) => {
                self.sender.0.whole.store(true, Ordering::Relaxed);
                None
            }
            Err(error) => {
                self.sender.0.late.store(true, Ordering::Relaxed);
                Some((Err(error), None))
            }
        }
    }
}

/// How fast a body comes.
struct Pace {
    patience: Patience,
    end: Instant,
    /// Since the span began.
    waited: Duration,
    brought: u64,
}

impl Pace {
    fn new(patience: Patience, now: Instant) -> Self {
        Pace {
            patience,
            end: now + patience.whole,
            waited: Duration::ZERO,
            brought: 0,
        }
    }

    /// Until when the next bytes are waited for.
    fn until(&self, now: Instant) -> Instant {
        let span_end = now + self.patience.span.saturating_sub(self.waited);
        span_end.min(self.end)
    }

    /// Bytes came after a wait.
    fn came(&mut self, bytes: usize, waited: Duration) {
        self.waited += waited;
        self.brought += u64::try_from(bytes).unwrap_or(u64::MAX);
        if self.brought >= self.patience.bytes {
            self.waited = Duration::ZERO;
            self.brought = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        span: Duration::from_secs(10),
        bytes: 100,
        whole: Duration::from_secs(100),
    };

    /// A body that brings so many bytes every so many seconds, while the service lets wait between two of them: how many
    /// pieces are taken, and after how many seconds it is over.
    fn taken(bytes: usize, seconds: u64, pieces: usize, service: u64) -> (usize, u64) {
        let began = Instant::now();
        let mut now = began;
        let mut pace = Pace::new(PATIENCE, began);
        for piece in 0..pieces {
            let comes = now + Duration::from_secs(seconds);
            let until = pace.until(now);
            if comes > until {
                return (piece, (until - began).as_secs());
            }
            pace.came(bytes, comes - now);
            now = comes + Duration::from_secs(service);
        }
        (pieces, (now - began).as_secs())
    }

    #[test]
    fn a_body_that_comes_fast_enough_comes_whole() {
        assert_eq!(taken(100, 9, 10, 0), (10, 90));
        assert_eq!(taken(25, 2, 12, 0), (12, 24));
        assert_eq!(taken(10, 1, 9, 0), (9, 9));
        assert_eq!(
            taken(100, 1, 4, 20),
            (4, 84),
            "the service is slow, not the sender"
        );
    }

    #[test]
    fn a_body_that_trickles_or_stops_is_given_up() {
        assert_eq!(taken(1, 1, 1_000, 0), (10, 10));
        assert_eq!(taken(100, 11, 10, 0), (0, 10));
    }

    #[test]
    fn a_sender_is_slow_once_it_was_waited_for_and_until_all_has_come() {
        let sender = Sender::new(Duration::from_secs(20));
        sender.brought(1_000, Duration::from_secs(19));
        assert_eq!(sender.is_slow(), None);
        sender.brought(1_000, Duration::from_secs(1));
        assert_eq!(sender.is_slow(), Some(100));
        sender.0.whole.store(true, Ordering::Relaxed);
        assert_eq!(sender.is_slow(), None);
    }

    #[test]
    fn no_body_lasts_for_ever() {
        assert_eq!(taken(100, 9, 100, 0), (11, 100));
    }
}
