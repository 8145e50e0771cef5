//! Who waits for a worker where: lanes, so that a flood of one kind of work never holds another up.
//!
//! Each lane has children of its own, also so that one which has opened a stranger's file never opens a file to be sealed.

use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::PdfError;

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Files that anybody uploads to have them verified.
    Verification,
    /// Files issued here that anybody looks up.
    Issued,
    /// Uploads of citizens, and pages shown to them and to officials.
    People,
    /// What a seal needs.
    Sealing,
    /// Documents that other services of the platform have sealed here.
    Deposits,
}

impl Lane {
    pub(super) const ALL: [Self; 5] = [
        Self::Verification,
        Self::Issued,
        Self::People,
        Self::Sealing,
        Self::Deposits,
    ];

    /// The name in configuration and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Issued => "issued",
            Self::People => "people",
            Self::Sealing => "sealing",
            Self::Deposits => "deposits",
        }
    }
}

/// A table of section `[pdf]`: what one kind of work may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneConfig {
    /// Children at the same time.
    pub workers: usize,
    /// Jobs that wait for a child at most; a further one is told to come again.
    pub queue: usize,
    /// How long a job waits for a child, in seconds.
    pub patience_seconds: u64,
}

/// The places of a lane.
pub(super) struct Places {
    /// Working or waiting.
    room: Semaphore,
    /// Working.
    workers: Semaphore,
    patience: Duration,
    lane: Lane,
}

/// A place at work, with its share of the room; given back when dropped.
pub(super) struct Place<'a> {
    _room: SemaphorePermit<'a>,
    _worker: SemaphorePermit<'a>,
}

impl Places {
    pub(super) fn new(lane: Lane, config: LaneConfig) -> Self {
        let workers = config.workers.clamp(1, Semaphore::MAX_PERMITS / 2);
        let queue = config.queue.min(Semaphore::MAX_PERMITS / 2);
        Self {
            room: Semaphore::new(workers + queue),
            workers: Semaphore::new(workers),
            patience: Duration::from_secs(config.patience_seconds),
            lane,
        }
    }

    /// Waits for a place in the order of coming.
    ///
    /// # Errors
    /// [`PdfError::Busy`] when the queue is full, or has not moved on in time.
    pub(super) async fn take(&self) -> Result<Place<'_>, PdfError> {
        let lane = self.lane;
        let busy = || {
            metrics::counter!("pdf_jobs_turned_away_total", "lane" => lane.as_str()).increment(1);
            PdfError::Busy { lane }
        };
        let room = self.room.try_acquire().map_err(|_full| busy())?;
        match timeout(self.patience, self.workers.acquire()).await {
            Ok(Ok(worker)) => Ok(Place {
                _room: room,
                _worker: worker,
            }),
            Ok(Err(closed)) => Err(PdfError::Unavailable(closed.into())),
            Err(_elapsed) => Err(busy()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_turns_away_at_once_and_a_slow_one_in_time() {
        let config = LaneConfig {
            workers: 1,
            queue: 1,
            patience_seconds: 1,
        };
        let places = Places::new(Lane::People, config);
        let working = places.take().await.expect("a free place");
        let mut waiting = std::pin::pin!(places.take());
        assert!(
            futures::poll!(&mut waiting).is_pending(),
            "the second waits for the first"
        );
        let third = futures::poll!(std::pin::pin!(places.take()));
        assert!(matches!(
            third,
            std::task::Poll::Ready(Err(PdfError::Busy { lane: Lane::People }))
        ));
        assert!(matches!(waiting.await, Err(PdfError::Busy { .. })));
        drop(working);
        places.take().await.expect("the place was given back");
    }
}
