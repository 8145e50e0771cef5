use super::{App, Error};
use crate::store::purge;

/// Rotates signing keys where due and deletes what is too old. One replica does it; the others find it done. Returns the
/// number of rows changed.
///
/// # Errors
/// When the database does not answer.
pub async fn tidy(app: &App) -> Result<u64, Error> {
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    if !purge::try_lead(&mut transaction).await? {
        return Ok(0);
    }
    app.rotate(&mut transaction, now).await?;
    let rows = purge::purge(&mut transaction, now).await?;
    transaction.commit().await?;
    Ok(rows)
}
