use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::second_factor::{self, Accepts};
use super::work::{Work, begin};
use super::{App, Command, Error, Reply, reauthenticate};
use crate::crypto::jws::{JwsKey, TYPE_CONFIRMATION};
use crate::domain::confirmation::{Confirmation, Given, Method};
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Word;
use crate::events::publish;
use crate::store::confirmations;

const ACTION: &str = "confirmation.give";

/// The signed record of a confirmation.
#[derive(Serialize)]
struct Record<'a> {
    iss: &'a str,
    /// The person.
    sub: Uuid,
    /// The session.
    sid: Uuid,
    /// The confirmation.
    jti: Uuid,
    purpose: &'static str,
    /// base64url, ascending.
    hashes: Vec<String>,
    method: &'static str,
    /// When it was given, in seconds since the Unix epoch.
    iat: i64,
}

/// Gives a confirmation with a TOTP code, which thereby is used. A wrong code leaves a trace and counts; the last one bars.
///
/// # Errors
/// [`Refusal::SessionExpired`], [`Refusal::ConfirmationNotFound`] also for another session's; [`Refusal::SecondFactorWrong`],
/// [`Refusal::SecondFactorUsed`], [`Refusal::ConfirmationBarred`], [`Refusal::ConfirmationExpired`],
/// [`Refusal::ConfirmationGiven`], [`Error::Limited`].
pub async fn confirm_with_totp<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (id, code): (Uuid, &str),
    reply: impl FnOnce(&Confirmation) -> R,
) -> Result<R, Error> {
    let key = app.signing_key().await?;
    let now = app.ambient.now();
    let mut work = begin!(app, command);
    let confirmation = confirmations::lock(work.conn(), id)
        .await?
        .filter(|found| found.person_id == caller.person_id && found.session_id == caller.session_id)
        .ok_or(Refusal::ConfirmationNotFound)?;
    confirmation.require_open(now)?;
    let taken = second_factor::limit_code(&mut work, caller).await?;
    match second_factor::check(&mut work, caller.person_id, code, Accepts::Totp).await? {
        Ok(()) => work.unlimit(taken).await?,
        Err(refusal) => return Err(wrong_code(work, confirmation, refusal).await),
    }
    // After the authenticator, which a reset of the password locks before the sessions.
    reauthenticate::live_session(work.conn(), app, caller).await?;
    let before = confirmation.version;
    let given = Given {
        method: Method::Totp,
        at: now,
        record: record(app, &key, &confirmation, now)?,
    };
    let (confirmation, fact) = confirmation.give(given, now)?;
    confirmations::save(work.conn(), &confirmation, before).await?;
    work.audit(
        ACTION,
        ("confirmation", id),
        json!({ "method": Method::Totp.as_str() }),
    )
    .await?;
    work.event(publish::confirmation(&confirmation, fact)).await?;
    work.finish(reply(&confirmation)).await
}

async fn wrong_code(mut work: Work<'_>, confirmation: Confirmation, refusal: Refusal) -> Error {
    match count_wrong_code(&mut work, confirmation, refusal).await {
        Ok((id, refusal)) => work.refuse(refusal, ACTION, ("confirmation", id)).await,
        Err(error) => error,
    }
}

async fn count_wrong_code(
    work: &mut Work<'_>,
    confirmation: Confirmation,
    refusal: Refusal,
) -> Result<(Uuid, Refusal), Error> {
    let before = confirmation.version;
    let (confirmation, fact) = confirmation.wrong_code(work.ambient().now())?;
    confirmations::save(work.conn(), &confirmation, before).await?;
    match fact {
        None => Ok((confirmation.id, refusal)),
        Some(fact) => {
            work.event(publish::confirmation(&confirmation, fact)).await?;
            Ok((confirmation.id, Refusal::ConfirmationBarred))
        }
    }
}

fn record(app: &App, key: &JwsKey, confirmation: &Confirmation, at: DateTime<Utc>) -> Result<String, Error> {
    let record = Record {
        iss: &app.policy.issuer,
        sub: confirmation.person_id,
        sid: confirmation.session_id,
        jti: confirmation.id,
        purpose: confirmation.purpose.as_str(),
        hashes: confirmation
            .hashes
            .as_slice()
            .iter()
            .map(|hash| BASE64URL_NOPAD.encode(hash))
            .collect(),
        method: Method::Totp.as_str(),
        iat: at.timestamp(),
    };
    Ok(key.sign(TYPE_CONFIRMATION, &record)?)
}
