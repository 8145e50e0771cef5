//! What happens by itself: deposit lists go to the carrier, silence is noted, what is kept for a time is forgotten, gauges are set.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wathiq_chassis::status;

use crate::app::{App, Error, announce, forget, measure, watch_silence};

/// How often it is looked for what has been kept long enough.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// How often gauges are set.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// How often each is done.
#[derive(Debug, Clone, Copy)]
pub struct Rhythm {
    pub announce: Duration,
    pub watch: Duration,
}

/// Announces deposit lists until `shutdown`. Safe in any number of processes.
pub async fn announce(app: Arc<App>, rhythm: Rhythm, shutdown: CancellationToken) {
    let work = async {
        let mut interval = tokio::time::interval(rhythm.announce.max(Duration::from_millis(10)));
        loop {
            interval.tick().await;
            loop {
                match announce::announce_next(&app).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        report("worker.announce_failed", &error);
                        break;
                    }
                }
            }
        }
    };
    shutdown.run_until_cancelled(work).await;
}

/// Notes silence, forgets and sets gauges until `shutdown`. Safe in any number of processes.
pub async fn watch(app: Arc<App>, rhythm: Rhythm, shutdown: CancellationToken) {
    let mut silence = tokio::time::interval(rhythm.watch.max(Duration::from_millis(10)));
    let mut age = tokio::time::interval(FORGET_EVERY);
    let mut gauges = tokio::time::interval(MEASURE_EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = silence.tick() => match watch_silence::watch_silence(&app).await {
                Ok(0) => {}
                Ok(noted) => tracing::info!(event = "worker.silence_noted", noted, "shipments were not heard of in time"),
                Err(error) => report("worker.silence_failed", &error),
            },
            _ = age.tick() => match forget::forget(&app).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(event = "worker.forgotten", rows, "what was kept for its time is gone"),
                Err(error) => report("worker.forget_failed", &error),
            },
            _ = gauges.tick() => {
                if let Err(error) = measure::measure(&app).await {
                    report("worker.measure_failed", &error);
                }
            }
        }
    }
}

fn report(event: &'static str, error: &Error) {
    tracing::warn!(event, error = status::chain(error), "tried again later");
}
