//! How long the officers' certificates still last, as metrics; alerts warn at 60, 30 and 7 days.

use crate::app::App;
use crate::store::credentials;

/// Days before the end at which alerts warn.
const WARNINGS: [i64; 3] = [60, 30, 7];

/// Measures the newest certificate of each officer at each office: the shortest time left, and how many fall below each
/// warning. Without the database the last figures stand.
pub(super) async fn measure(app: &App) {
    let ends = match app.pool.acquire().await {
        Ok(mut conn) => credentials::newest_ends(&mut conn).await,
        Err(error) => Err(error.into()),
    };
    let Ok(ends) = ends else {
        return;
    };
    let now = app.ambient.now();
    let left: Vec<i64> = ends.iter().map(|end| (*end - now).num_seconds()).collect();
    if let Some(shortest) = left.iter().min() {
        metrics::gauge!("certificate_expiry_seconds", "kind" => "officer").set(*shortest as f64);
    }
    for days in WARNINGS {
        let below = left.iter().filter(|seconds| **seconds < days * 24 * 3600).count();
        metrics::gauge!("certificates_expiring", "within_days" => days.to_string()).set(below as f64);
    }
}
