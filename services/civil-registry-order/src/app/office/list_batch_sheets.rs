//! Batch sheets of an office.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::store::offices::{self, Sheet};

/// Lists sheets, the latest first; and the id after which the next page begins.
///
/// # Errors
/// [`AppError`]; an office where the caller does not work is not found.
pub async fn list_batch_sheets(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    after: Option<Uuid>,
    size: u16,
) -> Result<(Vec<Sheet>, Option<Uuid>), AppError> {
    authorise::works_at(caller, office_id)?;
    let mut conn = app.pool.acquire().await?;
    let mut found = offices::sheets(&mut conn, office_id, after, i64::from(size) + 1).await?;
    let more = found.len() > usize::from(size);
    found.truncate(usize::from(size));
    let next = found.last().filter(|_| more).map(|sheet| sheet.id);
    Ok((found, next))
}
