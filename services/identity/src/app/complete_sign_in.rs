use serde_json::json;

use super::second_factor::{self, Accepts};
use super::sign_in::{SessionGrant, digest, open_session};
use super::work::Work;
use super::{App, Command, Error, limits};
use crate::domain::refusal::Refusal;
use crate::domain::session::Challenge;
use crate::domain::vocabulary::Word;
use crate::store::purge::SESSIONS_KEPT;
use crate::store::sessions;

/// The second step: TOTP or recovery code. Attempts are limited by person, apart for each address the person is known at, so
/// that who knows only the password cannot keep the holder out of a known one.
///
/// # Errors
/// [`Refusal::ChallengeInvalid`], [`Refusal::SecondFactorWrong`], [`Refusal::SecondFactorUsed`], [`Error::Limited`].
pub async fn complete_sign_in(
    app: &App,
    command: &Command,
    (challenge, code): (&str, &str),
) -> Result<SessionGrant, Error> {
    const ACTION: &str = "session.complete_sign_in";
    let mut work = Work::begin_secret(app, command).await?;
    let challenge = sessions::lock_challenge(work.conn(), &digest(challenge))
        .await?
        .ok_or(Refusal::ChallengeInvalid)?;
    challenge.require_open(app.ambient.now())?;
    let address = bucket_address(&mut work, &challenge).await?;
    let taken = work
        .limit(
            limits::SECOND_FACTOR,
            &[&challenge.person_id.to_string(), &address],
        )
        .await?;
    let person = ("person", challenge.person_id);
    match second_factor::check(&mut work, challenge.person_id, code, Accepts::TotpOrRecovery).await? {
        Ok(()) => work.unlimit(taken).await?,
        Err(refusal) => {
            let counted = Challenge {
                attempts_left: challenge.attempts_left - 1,
                ..challenge
            };
            sessions::save_challenge(work.conn(), &counted).await?;
            return Err(work.refuse(refusal, ACTION, person).await);
        }
    }
    sessions::save_challenge(
        work.conn(),
        &Challenge {
            used: true,
            ..challenge.clone()
        },
    )
    .await?;
    let surface = challenge.surface;
    let grant = open_session(&mut work, challenge.person_id, surface, challenge.origin).await?;
    work.audit(
        ACTION,
        person,
        json!({ "surface": surface.as_str(), "session_id": grant.id }),
    )
    .await?;
    work.finish_secret(grant).await
}

/// The address, where the person has signed in from it before; all other addresses share one bucket.
async fn bucket_address(work: &mut Work<'_>, challenge: &Challenge) -> Result<String, Error> {
    let since = work.ambient().now() - SESSIONS_KEPT;
    let address = &challenge.origin.client_address;
    let known = sessions::is_known_address(work.conn(), challenge.person_id, address, since).await?;
    Ok(if known { address.clone() } else { String::new() })
}
