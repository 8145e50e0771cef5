//! What time brings about by itself: requests and certificates expire, files that no row names are deleted, and the age of what waits is measured.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wathiq_chassis::status;

use crate::app::end_credentials::end_credentials;
use crate::app::expire_requests::expire_requests;
use crate::app::sweep_objects::sweep_objects;
use crate::app::sweep_reviews::sweep_reviews;
use crate::app::sweep_seals::sweep_seals;
use crate::app::{App, AppError};
use crate::store::requests;

/// Works until `shutdown`. Every step is safe to repeat and to run in two replicas at the same time.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let mut expiry = tokio::time::interval(Duration::from_secs(app.requests.expiry_seconds));
    let mut sweep = tokio::time::interval(Duration::from_secs(app.requests.sweep_seconds));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = expiry.tick() => {
                report("janitor.expired", expire_requests(&app).await);
                report("janitor.credentials_ended", end_credentials(&app).await);
                report("janitor.measured", measure(&app).await);
            }
            _ = sweep.tick() => {
                report("janitor.swept", sweep_objects(&app).await);
                report("janitor.reviews_swept", sweep_reviews(&app).await);
                report("janitor.seals_swept", sweep_seals(&app).await);
            }
        }
    }
}

/// Sets the age of the oldest request in each state that somebody has to do something about.
async fn measure(app: &App) -> Result<usize, AppError> {
    let mut conn = app.pool.acquire().await?;
    for (state, oldest) in requests::oldest_waiting(&mut conn).await? {
        let age = oldest.map_or(0, |since| (app.ambient.now() - since).num_seconds().max(0));
        let age = f64::from(i32::try_from(age).unwrap_or(i32::MAX));
        metrics::gauge!("request_state_age_seconds", "service" => "signature", "state" => state.as_str())
            .set(age);
    }
    Ok(0)
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
