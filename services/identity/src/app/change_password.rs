use secrecy::SecretString;
use serde_json::json;
use wathiq_chassis::Caller;

use super::deliver::send_change_notice;
use super::work::{Work, begin};
use super::{App, Command, Error, Reply, reauthenticate};
use crate::domain::password::NewPassword;
use crate::domain::person::Aspect;
use crate::domain::refusal::Refusal;
use crate::events::publish;
use crate::store::{credentials, people};

/// Changes the password and ends all other sessions.
///
/// # Errors
/// [`Refusal::PasswordWrong`], [`Error::Limited`].
pub async fn change_password<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (current, new): (SecretString, NewPassword),
    reply: R,
) -> Result<R, Error> {
    // A repeat comes with a password that is no longer the current one.
    if let Some(reply) = Work::done_before(app, command).await? {
        return Ok(reply);
    }
    if let Err(error) = reauthenticate::password(app, caller, &current).await {
        // A repeat that came at the same moment may have been overtaken meanwhile.
        return Work::done_before(app, command).await?.ok_or(error);
    }
    let hash = app.hasher.hash(&app.ambient, new.expose()).await?;
    let mut work = begin!(app, command);
    let person = people::lock(work.conn(), caller.person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
    credentials::set_password(work.conn(), person.id, &hash).await?;
    work.end_sessions(person.id, Some(caller.session_id)).await?;
    let (person, fact) = person.changed(Aspect::Password);
    people::save(work.conn(), &person).await?;
    send_change_notice(&mut work, &person).await?;
    work.audit("password.change", ("person", person.id), json!({}))
        .await?;
    work.event(publish::person(&person, fact)).await?;
    work.finish(reply).await
}
