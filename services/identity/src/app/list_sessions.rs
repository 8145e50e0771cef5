use uuid::Uuid;
use wathiq_chassis::Caller;

use super::{App, Error, Page, PageOf};
use crate::domain::session::Session;
use crate::store::sessions;

/// The caller's live sessions, newest first.
///
/// # Errors
/// [`Error::Invalid`] for a token of another list.
pub async fn list_sessions(app: &App, caller: &Caller, page: &Page) -> Result<PageOf<Session>, Error> {
    let mut conn = app.pool.acquire().await?;
    let before: Option<Uuid> = page.after()?;
    let rows = sessions::list(&mut conn, caller.person_id, before, page.rows()).await?;
    let now = app.ambient.now();
    let mut page = page.of(rows, |session| session.id.to_string());
    page.items
        .retain(|session| session.is_live(app.policy.lifetime(session.surface), now));
    Ok(page)
}
