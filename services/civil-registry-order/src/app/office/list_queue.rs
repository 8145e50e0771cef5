//! Lines of the caller's offices, by deadline.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::entry::{self, Entry};
use crate::app::{App, AppError, authorise};
use crate::domain::state::LineState;
use crate::store::queue::{self, Filter};

/// A page of the queue.
#[derive(Debug)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// Deadline and id of the last one shown, where more follow.
    pub next: Option<(DateTime<Utc>, Uuid)>,
}

/// Lists lines: what waits for the office where no state is asked for.
///
/// # Errors
/// [`AppError`]; an office where the caller does not work is not found.
pub async fn list_queue(
    app: &App,
    caller: &Caller,
    office_id: Option<Uuid>,
    mut filter: Filter,
    size: u16,
) -> Result<Page, AppError> {
    authorise::staff(caller)?;
    filter.offices = match office_id {
        Some(id) => {
            authorise::works_at(caller, id)?;
            vec![id]
        }
        None => authorise::offices_of(caller),
    };
    if filter.states.is_empty() {
        filter.states = vec![LineState::Paid, LineState::InProduction];
    }
    filter.limit = i64::from(size) + 1;
    let now = app.ambient.now();
    let mut conn = app.pool.acquire().await?;
    let mut found = queue::lines(&mut conn, &filter, now).await?;
    let more = found.len() > usize::from(size);
    found.truncate(usize::from(size));
    let next = found.last().filter(|_| more).map(|last| (last.sort, last.id));
    let ids: Vec<Uuid> = found.iter().map(|line| line.id).collect();
    let entries = entry::of_lines(&mut conn, &ids, now).await?;
    Ok(Page { entries, next })
}
