use serde_json::json;

use super::second_factor::{self, Accepts};
use super::sign_in::{SessionGrant, digest, open_session};
use super::work::Work;
use super::{App, Command, Error};
use crate::crypto::tagged_secret;
use crate::domain::refusal::Refusal;
use crate::domain::session::Challenge;
use crate::domain::vocabulary::Word;
use crate::store::sessions;

/// The second step: TOTP or recovery code. Attempts are limited by address, and by person, apart for each address the person
/// is known at, so that who knows only the password cannot keep the holder out of a known one.
///
/// # Errors
/// [`Refusal::ChallengeInvalid`], [`Refusal::SecondFactorWrong`], [`Refusal::SecondFactorUsed`], [`Error::Limited`].
pub async fn complete_sign_in(
    app: &App,
    command: &Command,
    (challenge, code): (&str, &str),
) -> Result<SessionGrant, Error> {
    const ACTION: &str = "session.complete_sign_in";
    if !tagged_secret::is_ours(&app.secrets.hashes, challenge) {
        return Err(Refusal::ChallengeInvalid.into());
    }
    let mut work = Work::begin_secret(app, command).await?;
    let challenge = sessions::lock_challenge(work.conn(), &digest(challenge))
        .await?
        .ok_or(Refusal::ChallengeInvalid)?;
    challenge.require_open(app.ambient.now())?;
    let taken = work
        .limit_second_factor(challenge.person_id, &challenge.origin.client_address)
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
