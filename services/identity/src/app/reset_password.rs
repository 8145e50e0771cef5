use serde_json::json;
use sqlx::PgConnection;
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
use crate::store::password_resets::{self, PasswordReset};
use crate::store::{codes, credentials, people};

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

/// Sets a new password with the code and, where there is an authenticator, a second factor; ends all sessions, all other resets
/// and whatever was begun with the password before. Tries are counted by account and address over all resets of the account,
/// whether or not there is such an account.
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
    if let Some(reply) = Work::done_before(app, command).await? {
        return Ok(reply);
    }
    // Given back never: a new password is seldom set twice.
    let _counted = app
        .limit(&limits::by_source(
            limits::RESET_ATTEMPT,
            &[],
            &attempt.client_address,
        ))
        .await?;
    // Only who has the code gets a password hashed.
    let hash = if has_code(app, &attempt).await? {
        Some(
            app.hasher
                .hash(&app.ambient, attempt.new_password.expose())
                .await?,
        )
    } else {
        None
    };
    let now = app.ambient.now();
    let mut work = begin!(app, command);
    let reset = password_resets::lock(work.conn(), attempt.id)
        .await?
        .filter(|reset| !reset.done && now < reset.expires_at)
        .ok_or(Refusal::PasswordResetNotFound)?;
    let stored = codes::lock(work.conn(), attempt.id, CodePurpose::PasswordReset)
        .await?
        .ok_or(Refusal::CodeExpired)?;
    let tries = limits::reset_tries(&reset.account, &attempt.client_address);
    let taken = work.limit(&tries).await?;
    let equal = hash.is_some() && is_code_of(app, work.conn(), &reset, &attempt.code).await?;
    let used = match stored.attempt(equal, now)? {
        Attempt::Wrong(stored, refusal) => {
            codes::save(work.conn(), &stored).await?;
            return Err(work.refuse(refusal, ACTION, ("password_reset", attempt.id)).await);
        }
        Attempt::Right(used) => used,
    };
    work.unlimit(taken).await?;
    let (person_id, hash) = reset.person_id.zip(hash).ok_or(Refusal::CodeWrong)?;
    let person = people::lock(work.conn(), person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
    let (mut work, person) = with_second_factor(work, person, &attempt, &used).await?;
    codes::save(work.conn(), &used).await?;
    password_resets::finish_all(work.conn(), &reset.account).await?;
    credentials::set_password(work.conn(), person.id, &hash).await?;
    credentials::drop_unfinished(work.conn(), person.id).await?;
    work.end_sessions(person.id, None).await?;
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

/// Whether the code is right, as far as can be told without a lock: the transaction decides.
async fn has_code(app: &App, attempt: &PasswordResetAttempt) -> Result<bool, Error> {
    let mut conn = app.pool.acquire().await?;
    let Some(reset) = password_resets::find(&mut conn, attempt.id).await? else {
        return Ok(false);
    };
    is_code_of(app, &mut conn, &reset, &attempt.code).await
}

/// Whether the code was sent for this reset, or for another of the same account that is under way: who has it reads the
/// account's mail, and a code of sixty bits is not found by trying it against several.
async fn is_code_of(
    app: &App,
    conn: &mut PgConnection,
    reset: &PasswordReset,
    code: &str,
) -> Result<bool, Error> {
    let sent = codes::mailed_for(conn, &reset.account, app.ambient.now()).await?;
    Ok(sent.iter().any(|stored| is_code(app, stored, code)))
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
    let taken = work
        .limit_second_factor(person.id, &attempt.client_address)
        .await?;
    let accepts = Accepts::TotpOrRecovery;
    match second_factor::check(&mut work, person.id, &attempt.second_factor, accepts).await? {
        Ok(()) => {
            work.unlimit(taken).await?;
            Ok((work, person))
        }
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
