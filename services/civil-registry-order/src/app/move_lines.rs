//! Lines follow their register to the office that holds it today.

use uuid::Uuid;
use wathiq_chassis::civil_date;

use crate::app::{App, AppError, change};
use crate::store::{custody, orders};

/// Moves what waits at an office that does not hold its register any more; gives the number of lines. What is being produced stays where it is.
///
/// # Errors
/// [`AppError`].
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
    for (order_id, line_id, holder) in &moves {
        let mut transaction = app.pool.begin().await?;
        change::change(&mut transaction, app, *order_id, |work| {
            work.move_to(*line_id, *holder)
        })
        .await?;
        transaction.commit().await?;
    }
    Ok(moves.len())
}
