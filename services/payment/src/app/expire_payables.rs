//! Payables that nobody paid in time expire.

use crate::app::{App, AppError, write};
use crate::store::books;

/// Payables of one round.
const ROUND: i64 = 100;

/// Expires what has run out; gives how many.
///
/// # Errors
/// [`AppError`].
pub async fn expire_payables(app: &App) -> Result<usize, AppError> {
    let now = app.ambient.now();
    let ids = {
        let mut conn = app.pool.acquire().await?;
        books::expired(&mut conn, now, ROUND).await?
    };
    let mut count = 0;
    for id in ids {
        let mut transaction = app.pool.begin().await?;
        if let Some(before) = books::lock(&mut transaction, id).await? {
            let mut book = before.clone();
            let facts = book.expire(now);
            count += facts.len();
            write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
        }
        transaction.commit().await?;
    }
    Ok(count)
}
