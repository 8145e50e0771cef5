//! Deadlines: what has run out ends or is told.

use uuid::Uuid;

use crate::app::change::change;
use crate::app::{App, AppError};
use crate::store::{StoreError, orders};

/// Orders looked at in one go.
const AT_ONCE: i64 = 200;

/// Does what time has brought about; gives the number of orders.
///
/// # Errors
/// [`AppError`] of the database; an order at fault is told and does not stop the others.
pub async fn let_time_pass(app: &App) -> Result<usize, AppError> {
    let (mut count, mut after) = (0, Uuid::nil());
    loop {
        let late = {
            let mut conn = app.pool.acquire().await?;
            orders::with_deadline_before(&mut conn, app.ambient.now(), after, AT_ONCE).await?
        };
        let Some(last) = late.last() else {
            return Ok(count);
        };
        (after, count) = (*last, count + late.len());
        end_or_tell(app, &late).await?;
    }
}

async fn end_or_tell(app: &App, late: &[Uuid]) -> Result<(), AppError> {
    for order_id in late {
        let mut transaction = app.pool.begin().await?;
        match change(&mut transaction, app, *order_id, |work| {
            work.let_time_pass()?;
            Ok(())
        })
        .await
        {
            Ok(_) => transaction.commit().await?,
            // Without the database nothing passes; whatever else is wrong is wrong with this order alone.
            Err(error @ AppError::Store(StoreError::Database(_))) => return Err(error),
            Err(error) => tracing::error!(
                event = "deadline.failed",
                order_id = %order_id,
                error = wathiq_chassis::status::chain(&error),
                "an order stands as it should not"
            ),
        }
    }
    Ok(())
}
