use serde_json::json;
use wathiq_chassis::Caller;

use super::deliver::send_change_notice;
use super::work::Work;
use super::{App, Command, Error, reauthenticate, second_factor};
use crate::domain::person::Aspect;
use crate::domain::refusal::Refusal;
use crate::domain::totp::Match;
use crate::events::publish;
use crate::store::{credentials, people};

/// Ends an enrolment with a first code, which thereby is used, and hands out recovery codes.
///
/// # Errors
/// [`Refusal::SessionExpired`], [`Refusal::EnrolmentNotBegun`], [`Refusal::SecondFactorWrong`], [`Error::Limited`].
pub async fn complete_totp_enrolment(
    app: &App,
    command: &Command,
    caller: &Caller,
    code: &str,
) -> Result<Vec<String>, Error> {
    const ACTION: &str = "totp.complete_enrolment";
    let now = app.ambient.now();
    let mut work = Work::begin_secret(app, command).await?;
    let person = reauthenticate::lock_person(&mut work, caller).await?;
    let taken = second_factor::limit_code(&mut work, caller).await?;
    let sealed = credentials::lock_pending_totp(work.conn(), person.id, now)
        .await?
        .ok_or(Refusal::EnrolmentNotBegun)?;
    let secret = second_factor::open(app, person.id, &sealed)?;
    let Match::Right { step } = secret.check(code.trim(), now, None) else {
        return Err(work
            .refuse(Refusal::SecondFactorWrong, ACTION, ("person", person.id))
            .await);
    };
    work.unlimit(taken).await?;
    credentials::activate_totp(work.conn(), person.id, &sealed, Some(step), now).await?;
    let codes = second_factor::renew_recovery_codes(&mut work, person.id).await?;
    let (person, fact) = person.changed(Aspect::Totp);
    people::save(work.conn(), &person).await?;
    send_change_notice(&mut work, &person).await?;
    work.audit(ACTION, ("person", person.id), json!({})).await?;
    work.event(publish::person(&person, fact)).await?;
    work.finish_secret(codes).await
}
