//! What other services have answered long ago is deleted.

use chrono::TimeDelta;

use crate::app::{App, AppError};
use crate::store::outward;

/// Rows deleted in one transaction.
const AT_ONCE: i64 = 1_000;
/// Transactions in one pass; what is left waits for the next.
const A_PASS: usize = 100;

/// Deletes the questions that were answered `answered_days` ago; gives their number. What was refused for good stays.
///
/// # Errors
/// [`AppError`] of the database.
pub async fn forget_answered(app: &App) -> Result<usize, AppError> {
    let before = app.ambient.now() - TimeDelta::days(app.orders.answered_days.into());
    let mut forgotten = 0;
    for _ in 0..A_PASS {
        let mut conn = app.pool.acquire().await?;
        let count = outward::forget_done(&mut conn, before, AT_ONCE).await?;
        if count == 0 {
            break;
        }
        forgotten += count;
    }
    Ok(forgotten)
}
