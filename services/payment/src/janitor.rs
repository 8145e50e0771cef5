//! What goes on by itself: attempts are worked on, payables expire, books are compared at night, and what waits is measured.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wathiq_chassis::status;

use crate::app::expire_payables::expire_payables;
use crate::app::measure::measure;
use crate::app::reconcile::reconcile;
use crate::app::work::work;
use crate::app::{App, AppError};
use crate::config::WorkConfig;

/// Pause between two rounds of housekeeping.
const HOUSEKEEPING: Duration = Duration::from_secs(15);
/// Pause between two looks for whether the nightly comparison is due.
const BOOKKEEPING: Duration = Duration::from_secs(60);
/// Pause after a step that failed: what broke it is likely to break the next.
const FAILED: Duration = Duration::from_secs(5);

/// Works until `shutdown`. Every step is safe to repeat and to run in two replicas at the same time.
pub async fn run(app: Arc<App>, config: WorkConfig, shutdown: CancellationToken) {
    let workers = (0..config.concurrency).map(|_| work_on(&app, &config, &shutdown));
    futures::join!(
        futures::future::join_all(workers),
        keep_house(&app, &shutdown),
        keep_books(&app, &config, &shutdown)
    );
}

/// One worker: step after step while something is due.
async fn work_on(app: &App, config: &WorkConfig, shutdown: &CancellationToken) {
    while !shutdown.is_cancelled() {
        let pause = match work(app).await {
            Ok(true) => continue,
            Ok(false) => Duration::from_millis(config.interval_milliseconds),
            Err(error) => {
                tracing::warn!(
                    event = "work.failed",
                    error = status::chain(&error),
                    "tried again later"
                );
                FAILED
            }
        };
        shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
    }
}

async fn keep_house(app: &App, shutdown: &CancellationToken) {
    let mut interval = tokio::time::interval(HOUSEKEEPING);
    while shutdown.run_until_cancelled(interval.tick()).await.is_some() {
        report("janitor.expired", expire_payables(app).await);
        report("janitor.measured", measure(app).await);
    }
}

/// The nightly comparison takes as long as the providers take to answer: nothing waits for it, and a shutdown cuts it off.
async fn keep_books(app: &App, config: &WorkConfig, shutdown: &CancellationToken) {
    let mut interval = tokio::time::interval(BOOKKEEPING);
    while shutdown.run_until_cancelled(interval.tick()).await.is_some() {
        let run = reconcile(app, config.reconciliation_hour);
        if let Some(done) = shutdown.run_until_cancelled(run).await {
            report("janitor.reconciled", done);
        }
    }
}

fn report(event: &'static str, done: Result<usize, AppError>) {
    match done {
        Ok(0) => {}
        Ok(count) => tracing::info!(event, count, "housekeeping done"),
        Err(error) => {
            tracing::warn!(
                event = "janitor.failed",
                step = event,
                error = status::chain(&error),
                "tried again later"
            );
        }
    }
}
