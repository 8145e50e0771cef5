use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::deliver::{is_code, send_change_notice};
use super::limits::Asker;
use super::work::begin;
use super::{App, Command, Error, Reply, limits, reauthenticate};
use crate::domain::one_time_code::{Attempt, CodePurpose};
use crate::domain::person::Person;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Word;
use crate::events::publish;
use crate::store::{codes, contact_changes, people};

/// Ends a change of contact with its code. The e-mail address held before is told.
///
/// # Errors
/// [`Refusal::SessionExpired`], [`Refusal::ContactChangeNotFound`], [`Refusal::CodeWrong`], [`Refusal::CodeBarred`], [`Refusal::CodeExpired`],
/// [`Refusal::EmailTaken`], [`Error::Limited`].
pub async fn prove_contact<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (id, code): (Uuid, &str),
    reply: impl FnOnce(&Person) -> R,
) -> Result<R, Error> {
    const ACTION: &str = "person.prove_contact";
    let now = app.ambient.now();
    let mut work = begin!(app, command);
    let before = reauthenticate::lock_person(&mut work, caller).await?;
    let change = contact_changes::lock(work.conn(), id)
        .await?
        .filter(|change| change.person_id == caller.person_id && !change.done && now < change.expires_at)
        .ok_or(Refusal::ContactChangeNotFound)?;
    let stored = codes::lock(work.conn(), id, CodePurpose::ContactChange)
        .await?
        .ok_or(Refusal::CodeExpired)?;
    let source = before.id.to_string();
    let tries = limits::tries_of(&change.contact.folded(), Asker::Person(&source));
    let taken = work.limit(&tries).await?;
    let equal = is_code(app, &stored, code);
    match stored.attempt(equal, now)? {
        Attempt::Wrong(stored, refusal) => {
            codes::save(work.conn(), &stored).await?;
            return Err(work.refuse(refusal, ACTION, ("person", caller.person_id)).await);
        }
        Attempt::Right(stored) => codes::save(work.conn(), &stored).await?,
    }
    work.unlimit(taken).await?;
    contact_changes::finish(work.conn(), id).await?;
    let channel = change.contact.channel();
    let (person, fact) = before.clone().change_contact(change.contact);
    if let Err(error) = people::save(work.conn(), &person).await {
        return Err(match error.constraint() {
            Some("person_email_folded_key") => Refusal::EmailTaken.into(),
            _ => error.into(),
        });
    }
    send_change_notice(&mut work, &before).await?;
    work.audit(
        ACTION,
        ("person", person.id),
        json!({ "channel": channel.as_str() }),
    )
    .await?;
    work.event(publish::person(&person, fact)).await?;
    work.finish(reply(&person)).await
}
