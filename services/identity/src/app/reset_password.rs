use serde_json::json;
use uuid::Uuid;

use super::deliver::{is_code, send_change_notice};
use super::second_factor::{self, Accepts};
use super::work::{Work, begin};
use super::{App, Command, Error, Reply, limits};
use crate::domain::one_time_code::{Attempt, CodePurpose, OneTimeCode};
use crate::domain::password::NewPassword;
use crate::domain::person::{Aspect, Person};
use crate::domain::refusal::Refusal;
use crate::events::publish;
use crate::store::{codes, credentials, password_resets, people, sessions};

/// What is asked.
pub struct PasswordResetAttempt {
    pub id: Uuid,
    pub code: String,
    pub new_password: NewPassword,
    /// Empty where none is given.
    pub second_factor: String,
    pub client_address: String,
}

const ACTION: &str = "password.reset";

/// Sets a new password with the code and, where there is an authenticator, a second factor; ends all sessions.
///
/// # Errors
/// [`Refusal::PasswordResetNotFound`], [`Refusal::CodeWrong`], [`Refusal::CodeBarred`], [`Refusal::CodeExpired`],
/// [`Refusal::SecondFactorMissing`], [`Refusal::SecondFactorWrong`], [`Error::Limited`].
pub async fn reset_password<R: Reply>(
    app: &App,
    command: &Command,
    attempt: PasswordResetAttempt,
    reply: R,
) -> Result<R, Error> {
    // Given back never: a new password is seldom set twice.
    let _counted = app
        .limit(limits::RESET_ATTEMPT, &[&attempt.client_address])
        .await?;
    let hash = app
        .hasher
        .hash(&app.ambient, attempt.new_password.expose())
        .await?;
    let now = app.ambient.now();
    let mut work = begin!(app, command);
    let reset = password_resets::lock(work.conn(), attempt.id)
        .await?
        .filter(|reset| !reset.done && now < reset.expires_at)
        .ok_or(Refusal::PasswordResetNotFound)?;
    let stored = codes::lock(work.conn(), attempt.id, CodePurpose::PasswordReset)
        .await?
        .ok_or(Refusal::CodeExpired)?;
    let equal = is_code(app, &stored, &attempt.code);
    let used = match stored.attempt(equal, now)? {
        Attempt::Wrong(stored, refusal) => {
            codes::save(work.conn(), &stored).await?;
            return Err(work.refuse(refusal, ACTION, ("password_reset", attempt.id)).await);
        }
        Attempt::Right(used) => used,
    };
    let person_id = reset.person_id.ok_or(Refusal::CodeWrong)?;
    let person = people::lock(work.conn(), person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
    let (mut work, person) = with_second_factor(work, person, &attempt, &used).await?;
    codes::save(work.conn(), &used).await?;
    password_resets::finish(work.conn(), attempt.id).await?;
    credentials::set_password(work.conn(), person.id, &hash).await?;
    sessions::end_all(work.conn(), person.id, None, now).await?;
    let (person, fact) = person.changed(Aspect::Password);
    people::save(work.conn(), &person).await?;
    send_change_notice(&mut work, &person).await?;
    work.audit(
        ACTION,
        ("person", person.id),
        json!({ "password_reset_id": attempt.id }),
    )
    .await?;
    work.event(publish::person(&person, fact)).await?;
    work.finish(reply).await
}

/// Checks the second factor of who has one. A missing one leaves the code as good as before; a wrong one counts as a wrong
/// code.
async fn with_second_factor<'a>(
    mut work: Work<'a>,
    person: Person,
    attempt: &PasswordResetAttempt,
    code: &OneTimeCode,
) -> Result<(Work<'a>, Person), Error> {
    if !person.totp_enrolled {
        return Ok((work, person));
    }
    if attempt.second_factor.is_empty() {
        return Err(Refusal::SecondFactorMissing.into());
    }
    match second_factor::check(
        &mut work,
        person.id,
        &attempt.second_factor,
        Accepts::TotpOrRecovery,
    )
    .await?
    {
        Ok(()) => Ok((work, person)),
        Err(refusal) => {
            let counted = OneTimeCode {
                attempts_left: (code.attempts_left - 1).max(0),
                used: false,
                ..code.clone()
            };
            codes::save(work.conn(), &counted).await?;
            Err(work.refuse(refusal, ACTION, ("person", person.id)).await)
        }
    }
}
