use serde_json::json;
use uuid::Uuid;

use super::deliver::is_code;
use super::limits::Asker;
use super::work::{Work, begin, stream_id};
use super::{App, Command, Error, Reply, limits};
use crate::domain::one_time_code::Attempt;
use crate::domain::person::PersonFact;
use crate::domain::refusal::Refusal;
use crate::domain::sign_up::{SignUp, code_purpose};
use crate::domain::vocabulary::{Channel, Word};
use crate::events::publish;
use crate::store::{codes, people, sign_ups};

/// Proves one contact. With both proved the account exists.
///
/// # Errors
/// [`Refusal::SignUpNotFound`], [`Refusal::ContactAlreadyProved`], [`Refusal::CodeWrong`], [`Refusal::CodeBarred`],
/// [`Refusal::CodeExpired`], [`Error::Limited`], and [`Refusal::EmailTaken`] for who has proved the address and finds an account at it.
pub async fn prove_sign_up_contact<R: Reply>(
    app: &App,
    command: &Command,
    (id, channel): (Uuid, Channel),
    (code, client_address): (&str, &str),
    reply: impl FnOnce(&SignUp) -> R,
) -> Result<R, Error> {
    const ACTION: &str = "sign_up.prove_contact";
    let mut work = begin!(app, command);
    let sign_up = sign_ups::lock(work.conn(), id)
        .await?
        .ok_or(Refusal::SignUpNotFound)?;
    sign_up.require_open(app.ambient.now())?;
    if sign_up.is_proved(channel) {
        return Err(Refusal::ContactAlreadyProved.into());
    }
    let stored = codes::lock(work.conn(), id, code_purpose(channel))
        .await?
        .ok_or(Refusal::CodeExpired)?;
    let tries = limits::tries_of(&sign_up.contact(channel), Asker::Address(client_address));
    let taken = work.limit(&tries).await?;
    let equal = is_code(app, &stored, code);
    match stored.attempt(equal, app.ambient.now())? {
        Attempt::Wrong(stored, refusal) => {
            codes::save(work.conn(), &stored).await?;
            return Err(work.refuse(refusal, ACTION, ("sign_up", id)).await);
        }
        Attempt::Right(stored) => codes::save(work.conn(), &stored).await?,
    }
    work.unlimit(taken).await?;
    let mut sign_up = sign_up.prove(channel);
    register(&mut work, &mut sign_up).await?;
    sign_ups::save(work.conn(), &sign_up).await?;
    work.audit(ACTION, ("sign_up", id), json!({ "channel": channel.as_str() }))
        .await?;
    work.finish(reply(&sign_up)).await
}

/// Makes the person once both contacts are proved.
async fn register(work: &mut Work<'_>, sign_up: &mut SignUp) -> Result<(), Error> {
    let ambient = work.ambient();
    let Some(person) = sign_up.person((ambient.uuid_v7(), stream_id(ambient)), ambient.now()) else {
        return Ok(());
    };
    if let Err(error) = people::insert(work.conn(), &person, &sign_up.password_hash).await {
        return Err(match error.constraint() {
            Some("person_email_folded_key") => Refusal::EmailTaken.into(),
            _ => error.into(),
        });
    }
    work.event(publish::person(&person, PersonFact::Registered))
        .await?;
    sign_up.person_id = Some(person.id);
    Ok(())
}
