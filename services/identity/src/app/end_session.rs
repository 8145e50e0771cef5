use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::refusal::Refusal;
use crate::domain::session::SessionEnd;
use crate::events::publish;
use crate::store::sessions;

/// Ends one of the caller's sessions, at once. One that has ended stays ended.
///
/// # Errors
/// [`Refusal::SessionNotFound`].
pub async fn end_session<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    id: Uuid,
    reply: R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    sessions::lock(work.conn(), id)
        .await?
        .filter(|session| session.person_id == caller.person_id)
        .ok_or(Refusal::SessionNotFound)?;
    if sessions::end(work.conn(), id, app.ambient.now()).await? {
        work.event(publish::session_ended(id, SessionEnd::Person)).await?;
    }
    work.audit("session.end", ("session", id), json!({})).await?;
    work.finish(reply).await
}
