use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::deliver::{is_code, send_change_notice};
use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::one_time_code::{Attempt, CodePurpose};
use crate::domain::person::Person;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Word;
use crate::events::publish;
use crate::store::{codes, contact_changes, people};

/// Ends a change of contact with its code. The e-mail address held before is told.
///
/// # Errors
/// [`Refusal::ContactChangeNotFound`], [`Refusal::CodeWrong`], [`Refusal::CodeBarred`], [`Refusal::CodeExpired`],
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
    let change = contact_changes::lock(work.conn(), id)
        .await?
        .filter(|change| change.person_id == caller.person_id && !change.done && now < change.expires_at)
        .ok_or(Refusal::ContactChangeNotFound)?;
    let stored = codes::lock(work.conn(), id, CodePurpose::ContactChange)
        .await?
        .ok_or(Refusal::CodeExpired)?;
    let source = caller.person_id.to_string();
    let taken = work.limit_tries(&change.contact.folded(), &source).await?;
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
    let before = people::lock(work.conn(), caller.person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
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
