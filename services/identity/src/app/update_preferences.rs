use serde_json::json;
use wathiq_chassis::Caller;

use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::person::{Person, Preferences};
use crate::domain::refusal::Refusal;
use crate::events::publish;
use crate::store::people;

/// Changes language or delivery preference. `version` is the one the caller saw, where it says.
///
/// # Errors
/// [`Refusal::EtagStale`].
pub async fn update_preferences<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (preferences, version): (Preferences, Option<i64>),
    reply: impl FnOnce(&Person) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let person = people::lock(work.conn(), caller.person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
    if version.is_some_and(|seen| seen != person.version) {
        return Err(Refusal::EtagStale.into());
    }
    let (person, fact) = person.prefer(preferences);
    people::save(work.conn(), &person).await?;
    work.audit("person.update_preferences", ("person", person.id), json!({}))
        .await?;
    work.event(publish::person(&person, fact)).await?;
    work.finish(reply(&person)).await
}
