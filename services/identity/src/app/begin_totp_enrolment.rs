use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::json;
use wathiq_chassis::Caller;
use zeroize::Zeroizing;

use super::second_factor::{self, Accepts, limit_code};
use super::work::Work;
use super::{App, Command, Error, reauthenticate};
use crate::domain::refusal::Refusal;
use crate::domain::totp::{SECRET_BYTES, TotpSecret};
use crate::store::credentials;

/// How long an enrolment may take.
const LIFE: TimeDelta = TimeDelta::minutes(15);

/// What an authenticator is given.
pub struct Enrolment {
    pub secret: Zeroizing<String>,
    pub uri: Zeroizing<String>,
    pub expires_at: DateTime<Utc>,
}

/// Begins an enrolment, in the place of an unfinished one. Who has an authenticator shows a code of it, or a recovery code:
/// a password alone must not replace it.
///
/// # Errors
/// [`Refusal::PasswordWrong`], [`Refusal::SessionExpired`], [`Refusal::SecondFactorMissing`],
/// [`Refusal::SecondFactorWrong`], [`Error::Limited`].
pub async fn begin_totp_enrolment(
    app: &App,
    command: &Command,
    caller: &Caller,
    (password, second_factor): (SecretString, &str),
) -> Result<Enrolment, Error> {
    const ACTION: &str = "totp.begin_enrolment";
    let verified = reauthenticate::password(app, caller, &password).await?;
    let mut work = Work::begin_secret(app, command).await?;
    let person = verified.lock_person(&mut work, caller).await?;
    if person.totp_enrolled {
        if second_factor.is_empty() {
            return Err(Refusal::SecondFactorMissing.into());
        }
        let taken = limit_code(&mut work, caller).await?;
        match second_factor::check(&mut work, person.id, second_factor, Accepts::TotpOrRecovery).await? {
            Ok(()) => work.unlimit(taken).await?,
            Err(refusal) => return Err(work.refuse(refusal, ACTION, ("person", person.id)).await),
        }
    }
    let now = app.ambient.now();
    let expires_at = now + LIFE;
    let secret = TotpSecret::new(app.ambient.bytes::<SECRET_BYTES>());
    let sealed = second_factor::seal(app, person.id, &secret)?;
    credentials::put_pending_totp(work.conn(), person.id, &sealed, expires_at, now).await?;
    work.audit(ACTION, ("person", person.id), json!({})).await?;
    let uri = secret.uri(&app.policy.totp_issuer, person.email.as_str());
    work.finish_secret(Enrolment {
        secret: secret.base32(),
        uri,
        expires_at,
    })
    .await
}
