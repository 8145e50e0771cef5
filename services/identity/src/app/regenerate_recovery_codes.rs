use serde_json::json;
use wathiq_chassis::Caller;

use super::deliver::send_change_notice;
use super::second_factor::{self, Accepts};
use super::work::Work;
use super::{App, Command, Error, limits};
use crate::domain::person::Aspect;
use crate::domain::refusal::Refusal;
use crate::events::publish;
use crate::store::people;

/// Fresh recovery codes; the old ones stop working.
///
/// # Errors
/// [`Refusal::SecondFactorWrong`], [`Refusal::SecondFactorUsed`], [`Refusal::SecondFactorNotEnrolled`],
/// [`Error::Limited`].
pub async fn regenerate_recovery_codes(
    app: &App,
    command: &Command,
    caller: &Caller,
    code: &str,
) -> Result<Vec<String>, Error> {
    const ACTION: &str = "recovery_codes.regenerate";
    let mut work = Work::begin_secret(app, command).await?;
    let person = people::lock(work.conn(), caller.person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
    let taken = work
        .limit(
            limits::REAUTHENTICATION,
            &[&caller.session_id.to_string(), "code"],
        )
        .await?;
    match second_factor::check(&mut work, person.id, code, Accepts::Totp).await? {
        Ok(()) => work.unlimit([taken]).await?,
        Err(refusal) => return Err(work.refuse(refusal, ACTION, ("person", person.id)).await),
    }
    let codes = second_factor::renew_recovery_codes(&mut work, person.id).await?;
    let (person, fact) = person.changed(Aspect::RecoveryCodes);
    people::save(work.conn(), &person).await?;
    send_change_notice(&mut work, &person).await?;
    work.audit(ACTION, ("person", person.id), json!({})).await?;
    work.event(publish::person(&person, fact)).await?;
    work.finish_secret(codes).await
}
