//! How long a request body may take: so many bytes in each span of waiting, and an end to all of it. Only the waiting
//! for the sender counts towards a span; a service that takes the bytes slowly is not the sender's fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures::StreamExt;
use futures::stream::unfold;
use tokio::time::{Instant, timeout_at};

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

    /// The body, which breaks off where it comes too slowly.
    pub(crate) fn with(self, body: Body) -> (Body, Late) {
        let late = Late::default();
        let reader = Reader {
            stream: body.into_data_stream(),
            pace: Pace::new(self, Instant::now()),
            late: late.clone(),
        };
        let stream = unfold(Some(reader), |reader| async move { reader?.next().await });
        (Body::from_stream(stream), late)
    }
}

/// Whether a body was given up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Late(Arc<AtomicBool>);

impl Late {
    pub(crate) fn is_late(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Reader {
    stream: BodyDataStream,
    pace: Pace,
    late: Late,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<Bytes, axum::Error>, Option<Self>)> {
        let began = Instant::now();
        match timeout_at(self.pace.until(began), self.stream.next()).await {
            Ok(item) => {
                let item = item?;
                self.pace
                    .came(item.as_ref().map_or(0, Bytes::len), began.elapsed());
                Some((item, Some(self)))
            }
            Err(elapsed) => {
                self.late.0.store(true, Ordering::Relaxed);
                Some((Err(axum::Error::new(elapsed)), None))
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
    fn no_body_lasts_for_ever() {
        assert_eq!(taken(100, 9, 100, 0), (11, 100));
    }
}
