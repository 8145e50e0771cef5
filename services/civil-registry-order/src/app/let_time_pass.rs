//! Deadlines: what has run out ends or is told.

use crate::app::change::change;
use crate::app::{App, AppError};
use crate::store::orders;

/// Orders looked at in one go.
const AT_ONCE: i64 = 200;

/// Does what time has brought about; gives the number of orders.
///
/// # Errors
/// [`AppError`] of the database; an order at fault is told and does not stop the others.
pub async fn let_time_pass(app: &App) -> Result<usize, AppError> {
    let late = {
        let mut conn = app.pool.acquire().await?;
        orders::with_deadline_before(&mut conn, app.ambient.now(), AT_ONCE).await?
    };
    for order_id in &late {
        let mut transaction = app.pool.begin().await?;
        match change(&mut transaction, app, *order_id, |work| {
            work.let_time_pass()?;
            Ok(())
        })
        .await
        {
            Ok(_) => transaction.commit().await?,
            Err(AppError::Work(error)) => tracing::error!(
                event = "deadline.failed",
                order_id = %order_id,
                error = wathiq_chassis::status::chain(&error),
                "an order stands as it should not"
            ),
            Err(error) => return Err(error),
        }
    }
    if !late.is_empty() {
        app.wake.notify_one();
    }
    Ok(late.len())
}
