//! What time brings about by itself: requests expire, files that no row names are deleted.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wathiq_chassis::status;

use crate::app::expire_requests::expire_requests;
use crate::app::sweep_objects::sweep_objects;
use crate::app::{App, AppError};

/// Works until `shutdown`. Every step is safe to repeat and to run in two replicas at the same time.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let mut expiry = tokio::time::interval(Duration::from_secs(app.requests.expiry_seconds));
    let mut sweep = tokio::time::interval(Duration::from_secs(app.requests.sweep_seconds));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = expiry.tick() => report("janitor.expired", expire_requests(&app).await),
            _ = sweep.tick() => report("janitor.swept", sweep_objects(&app).await),
        }
    }
}

fn report(event: &'static str, done: Result<usize, AppError>) {
    match done {
        Ok(0) => {}
        Ok(count) => tracing::info!(event, count, "housekeeping done"),
        Err(error) => {
            tracing::warn!(event = "janitor.failed", step = event, error = status::chain(&error), "tried again later");
        }
    }
}
