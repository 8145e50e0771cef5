//! What time brings about by itself: deadlines, the offices' daily mail, files that no order names, questions answered long ago; and the age of what waits is measured.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wathiq_chassis::status;

use crate::app::forget_answered::forget_answered;
use crate::app::let_time_pass::let_time_pass;
use crate::app::move_lines::move_lines;
use crate::app::remind_offices::remind_offices;
use crate::app::sweep_files::{sweep_documents, sweep_evidence, sweep_scans};
use crate::app::{App, AppError};
use crate::store::outward;

/// Works until `shutdown`. Every step is safe to repeat and to run in two replicas at the same time.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let mut deadlines = tokio::time::interval(Duration::from_secs(app.orders.deadline_seconds));
    let mut sweep = tokio::time::interval(Duration::from_secs(app.orders.sweep_seconds));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = deadlines.tick() => {
                report("janitor.moved", move_lines(&app).await);
                report("janitor.deadlines", let_time_pass(&app).await);
                report("janitor.reminded", remind_offices(&app).await);
                report("janitor.measured", measure(&app).await);
            }
            _ = sweep.tick() => {
                report("janitor.swept", sweep_evidence(&app).await);
                report("janitor.scans_swept", sweep_scans(&app).await);
                report("janitor.documents_swept", sweep_documents(&app).await);
                report("janitor.forgotten", forget_answered(&app).await);
            }
        }
    }
}

/// Sets the age of the oldest question to each service that is not answered yet.
async fn measure(app: &App) -> Result<usize, AppError> {
    let mut conn = app.pool.acquire().await?;
    let now = app.ambient.now();
    let oldest = outward::ages(&mut conn).await?;
    for kind in crate::domain::order::fact::OutwardKind::ALL {
        let since = oldest.iter().find(|(name, _)| name == kind.as_str());
        let age = since.map_or(0, |(_, since)| (now - *since).num_seconds().max(0));
        let age = f64::from(i32::try_from(age).unwrap_or(i32::MAX));
        metrics::gauge!("outward_age_seconds", "kind" => kind.as_str()).set(age);
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
