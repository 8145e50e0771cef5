//! What waits, as metrics. Alerts stand on `payment_refunds_failed`, `payment_voids_failed` and `payment_authorised_not_captured`.

use chrono::{DateTime, Utc};

use crate::app::{App, AppError};
use crate::domain::policy::MAX_REFUSALS;
use crate::store::measures;

/// Reads and sets them.
///
/// # Errors
/// [`AppError::Store`].
pub async fn measure(app: &App) -> Result<usize, AppError> {
    let now = app.ambient.now();
    let measures = {
        let mut conn = app.pool.acquire().await?;
        measures::read(&mut conn, now - app.policy.capture_after, MAX_REFUSALS).await?
    };
    let age = |since: Option<DateTime<Utc>>| {
        let seconds = since.map_or(0, |since| (now - since).num_seconds().max(0));
        f64::from(i32::try_from(seconds).unwrap_or(i32::MAX))
    };
    for (state, since) in [
        ("STARTED", measures.oldest_started),
        ("AUTHORISED", measures.oldest_authorised),
        ("VOIDING", measures.oldest_voiding),
    ] {
        metrics::gauge!("payment_attempt_age_seconds", "service" => "payment", "state" => state)
            .set(age(since));
    }
    metrics::gauge!("payment_refund_age_seconds", "service" => "payment").set(age(measures.oldest_refund));
    let count = |count: i64| f64::from(i32::try_from(count).unwrap_or(i32::MAX));
    metrics::gauge!("payment_authorised_not_captured", "service" => "payment")
        .set(count(measures.authorised_not_captured));
    metrics::gauge!("payment_refunds_failed", "service" => "payment").set(count(measures.refunds_failed));
    metrics::gauge!("payment_voids_failed", "service" => "payment").set(count(measures.voids_failed));
    metrics::gauge!("payment_differences", "service" => "payment").set(count(measures.differences));
    Ok(0)
}
