//! Documents prepared at an office, with the hashes that the officer confirms.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::list_queue::{self, Page};
use crate::app::{App, AppError, authorise};
use crate::domain::role;
use crate::domain::state::{LineState, Path};
use crate::store::queue::Filter;

/// Lists what is being prepared or waits for the officer.
///
/// # Errors
/// [`AppError`]; an office where the caller is no officer is not found.
pub async fn list_prepared(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    size: u16,
) -> Result<Page, AppError> {
    authorise::staff(caller)?;
    if !caller.holds(office_id, role::OFFICER) {
        return Err(AppError::not_found("office", office_id));
    }
    let filter = Filter {
        states: vec![LineState::InProduction],
        path: Some(Path::Digitised),
        after,
        ..Filter::default()
    };
    let mut page = list_queue::list_queue(app, caller, Some(office_id), filter, size).await?;
    page.entries.retain(|entry| entry.line.document.is_some());
    Ok(page)
}
