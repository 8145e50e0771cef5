use serde_json::json;
use wathiq_chassis::Caller;

use super::deliver::send_change_notice;
use super::second_factor::{self, Accepts};
use super::work::Work;
use super::{App, Command, Error, reauthenticate};
use crate::domain::person::Aspect;
use crate::events::publish;
use crate::store::people;

/// Fresh recovery codes; the old ones stop working.
///
/// # Errors
/// Refusals of the session and of the code, [`Error::Limited`].
pub async fn regenerate_recovery_codes(
    app: &App,
    command: &Command,
    caller: &Caller,
    code: &str,
) -> Result<Vec<String>, Error> {
    const ACTION: &str = "recovery_codes.regenerate";
    let mut work = Work::begin_secret(app, command).await?;
    let person = reauthenticate::lock_person(&mut work, caller).await?;
    let taken = second_factor::limit_code(&mut work, caller).await?;
    match second_factor::check(&mut work, person.id, code, Accepts::Totp).await? {
        Ok(()) => work.unlimit(taken).await?,
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
