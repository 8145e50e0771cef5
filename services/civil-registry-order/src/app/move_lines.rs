//! Lines follow their register to the office that holds it today.

use uuid::Uuid;
use wathiq_chassis::civil_date;

use crate::app::{App, AppError, change};
use crate::store::{StoreError, custody, orders};

/// Moves what waits at an office that does not hold its register any more; gives the number of lines. What is being produced stays where it is.
///
/// # Errors
/// [`AppError`] of the database; an order at fault is told and does not stop the others.
pub async fn move_lines(app: &App) -> Result<usize, AppError> {
    let moves: Vec<(Uuid, Uuid, Uuid)> = {
        let mut conn = app.pool.acquire().await?;
        let waiting = orders::at_offices_with_moves(&mut conn).await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let today = civil_date(app.ambient.now());
        let held = custody::held_by(&mut conn, Vec::new(), today).await?;
        let holder = |line: &orders::Waiting| {
            let clue = &line.clue.0;
            held.holder(clue.office_id, clue.kind, clue.register_year(today))
        };
        let lines = waiting
            .iter()
            .map(|line| (line.order_id, line.id, holder(line), line.office_id));
        lines
            .filter(|(_, _, holder, office)| holder != office)
            .map(|(order, line, holder, _)| (order, line, holder))
            .collect()
    };
    let mut moved = 0;
    for (order_id, line_id, holder) in &moves {
        let mut transaction = app.pool.begin().await?;
        match change::change(&mut transaction, app, *order_id, |work| {
            work.move_to(*line_id, *holder)
        })
        .await
        {
            Ok(()) => {
                transaction.commit().await?;
                moved += 1;
            }
            // Without the database nothing moves; whatever else is wrong is wrong with this order alone.
            Err(error @ AppError::Store(StoreError::Database(_))) => return Err(error),
            Err(error) => tracing::error!(
                event = "custody.line_not_moved",
                order_id = %order_id,
                line_id = %line_id,
                error = wathiq_chassis::status::chain(&error),
                "a line does not follow its register"
            ),
        }
    }
    Ok(moved)
}
