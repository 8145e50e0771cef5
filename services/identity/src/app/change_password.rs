use secrecy::SecretString;
use serde_json::json;
use wathiq_chassis::Caller;

use super::deliver::send_change_notice;
use super::work::{Work, begin};
use super::{App, Command, Error, Reply, reauthenticate};
use crate::domain::password::NewPassword;
use crate::domain::person::Aspect;
use crate::events::publish;
use crate::store::{credentials, people};

/// Changes the password and ends all other sessions, and whatever was begun with the one before.
///
/// # Errors
/// [`Refusal::PasswordWrong`](crate::domain::refusal::Refusal::PasswordWrong),
/// [`Refusal::SessionExpired`](crate::domain::refusal::Refusal::SessionExpired), [`Error::Limited`].
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
    let verified = match reauthenticate::password(app, caller, &current).await {
        Ok(verified) => verified,
        // A repeat that came at the same moment may have been overtaken meanwhile.
        Err(error) => return Work::done_before(app, command).await?.ok_or(error),
    };
    let hash = app.hasher.hash(&app.ambient, new.expose()).await?;
    let mut work = begin!(app, command);
    let person = verified.lock_person(&mut work, caller).await?;
    credentials::set_password(work.conn(), person.id, &hash).await?;
    credentials::drop_unfinished(work.conn(), person.id).await?;
    work.end_sessions(person.id, Some(caller.session_id)).await?;
    let (person, fact) = person.changed(Aspect::Password);
    people::save(work.conn(), &person).await?;
    send_change_notice(&mut work, &person).await?;
    work.audit("password.change", ("person", person.id), json!({}))
        .await?;
    work.event(publish::person(&person, fact)).await?;
    work.finish(reply).await
}
