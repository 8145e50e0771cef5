use uuid::Uuid;
use wathiq_chassis::Caller;

use super::{App, Error, Page, PageOf};
use crate::domain::session::Session;
use crate::domain::vocabulary::{Surface, Word};
use crate::store::sessions;

/// The caller's live sessions, newest first.
///
/// # Errors
/// [`Error::Invalid`] for a token of another list.
pub async fn list_sessions(app: &App, caller: &Caller, page: &Page) -> Result<PageOf<Session>, Error> {
    let mut conn = app.pool.acquire().await?;
    let before: Option<Uuid> = page.after()?;
    let lifetimes: Vec<_> = Surface::ALL
        .iter()
        .map(|surface| (*surface, app.policy.lifetime(*surface)))
        .collect();
    let asked = (before, page.rows());
    let rows = sessions::list(&mut conn, caller.person_id, asked, &lifetimes, app.ambient.now()).await?;
    Ok(page.of(rows, |session| session.id.to_string()))
}
