//! What needs a person, oldest first.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::role;
use crate::store::offices;
use crate::store::queue::{self, Exception};

/// A page of exceptions, and after which one the next page begins.
pub type Page = (Vec<Exception>, Option<(DateTime<Utc>, Uuid)>);

/// Lists what is late or went wrong at an office.
///
/// # Errors
/// [`AppError`].
pub async fn list_exceptions(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    size: u16,
) -> Result<Page, AppError> {
    authorise::staff(caller)?;
    if !caller.holds(office_id, role::ADMINISTRATOR) {
        authorise::works_at(caller, office_id)?;
    }
    let mut conn = app.pool.acquire().await?;
    let without_profile = !offices::has_profile(&mut conn, office_id).await?;
    let limit = i64::from(size) + 1;
    let mut found = queue::exceptions(&mut conn, office_id, without_profile, after, limit).await?;
    let more = found.len() > usize::from(size);
    found.truncate(usize::from(size));
    let next = found
        .last()
        .filter(|_| more)
        .map(|last| (last.since, last.line_id));
    Ok((found, next))
}
