//! Deadlines: what has run out ends or is told.

use std::collections::HashSet;

use uuid::Uuid;

use crate::app::change::change;
use crate::app::{App, AppError};
use crate::store::{StoreError, orders};

/// Lines looked at in one go; each order is a transaction of its own.
const AT_ONCE: i64 = 200;

/// Does what time has brought about; gives the number of orders.
///
/// # Errors
/// [`AppError`] of the database; an order at fault is told and does not stop the others.
pub async fn let_time_pass(app: &App) -> Result<usize, AppError> {
    let now = app.ambient.now();
    let mut done: HashSet<Uuid> = HashSet::new();
    let mut after = None;
    loop {
        let late = {
            let mut conn = app.pool.acquire().await?;
            orders::overdue(&mut conn, now, after.as_ref(), AT_ONCE).await?
        };
        let Some(last) = late.last() else {
            return Ok(done.len());
        };
        after = Some(*last);
        // An order is done whole, with all lines that are late.
        let orders: Vec<Uuid> = late
            .iter()
            .map(|line| line.order_id)
            .filter(|order| done.insert(*order))
            .collect();
        end_or_tell(app, &orders).await?;
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
