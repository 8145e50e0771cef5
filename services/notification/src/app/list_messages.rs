//! What was sent about a request or delivery, for the platform's administrators.

use uuid::Uuid;
use wathiq_chassis::{Caller, Surface};

use super::App;
use crate::domain::message::Message;
use crate::store::{StoreError, messages};

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub aggregate_id: Uuid,
    /// The last message of the page before.
    pub before: Option<Uuid>,
    pub size: u16,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    #[error("this is for administrators of the platform, on the staff surface")]
    NotAdministrator,
    #[error("the database did not answer")]
    Unavailable(#[source] sqlx::Error),
    #[error(transparent)]
    Store(StoreError),
}

/// The messages, newest first, and whether there are more.
///
/// # Errors
/// [`ListError`].
pub async fn list_messages(
    app: &App,
    caller: &Caller,
    page: Page,
) -> Result<(Vec<Message>, bool), ListError> {
    if !caller.platform_administrator || caller.surface != Surface::Staff {
        return Err(ListError::NotAdministrator);
    }
    let mut conn = app.pool.acquire().await.map_err(ListError::Unavailable)?;
    let size = usize::from(page.size);
    let rows = messages::list(
        &mut conn,
        page.aggregate_id,
        page.before,
        i64::from(page.size) + 1,
    )
    .await;
    let mut rows = rows.map_err(|error| match error {
        StoreError::Database(error) => ListError::Unavailable(error),
        error => ListError::Store(error),
    })?;
    let more = rows.len() > size;
    rows.truncate(size);
    Ok((rows, more))
}
