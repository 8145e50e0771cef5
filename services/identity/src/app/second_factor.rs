//! Checks TOTP and recovery codes. A step works once per account, wherever it is used.

use uuid::Uuid;
use wathiq_chassis::Caller;

use super::limits::Taken;
use super::work::Work;
use super::{App, Error, limits};
use crate::domain::recovery_code;
use crate::domain::refusal::Refusal;
use crate::domain::totp::{self, Match, TotpSecret};
use crate::store::credentials;

/// Which codes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepts {
    Totp,
    TotpOrRecovery,
}

/// Takes a try of a code within a session.
///
/// # Errors
/// [`Error::Limited`].
pub(super) async fn limit_code(work: &mut Work<'_>, caller: &Caller) -> Result<Vec<Taken>, Error> {
    let session = caller.session_id.to_string();
    work.limit(&[limits::of(limits::REAUTHENTICATION, &[&session, "code"])])
        .await
}

/// Checks a code and uses it up. `Ok(Err(_))` is a refusal of which the caller keeps a trace.
pub(super) async fn check(
    work: &mut Work<'_>,
    person: Uuid,
    code: &str,
    accepts: Accepts,
) -> Result<Result<(), Refusal>, Error> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if totp::has_form(&code) {
        return check_totp(work, person, &code).await;
    }
    match (accepts, recovery_code::normalised(&code)) {
        (Accepts::TotpOrRecovery, Some(code)) => check_recovery(work, person, &code).await,
        _ => Ok(Err(Refusal::SecondFactorWrong)),
    }
}

async fn check_totp(work: &mut Work<'_>, person: Uuid, code: &str) -> Result<Result<(), Refusal>, Error> {
    let now = work.ambient().now();
    let Some(row) = credentials::lock_totp(work.conn(), person).await? else {
        return Ok(Err(Refusal::SecondFactorNotEnrolled));
    };
    let secret = open(work.app(), person, &row.secret_sealed)?;
    Ok(match secret.check(code, now, row.last_step) {
        Match::Right { step } => {
            credentials::use_step(work.conn(), person, step).await?;
            Ok(())
        }
        Match::Used => Err(Refusal::SecondFactorUsed),
        Match::Wrong => Err(Refusal::SecondFactorWrong),
    })
}

async fn check_recovery(work: &mut Work<'_>, person: Uuid, code: &str) -> Result<Result<(), Refusal>, Error> {
    let hash = hash_recovery(work.app(), person, code);
    let now = work.ambient().now();
    let used = credentials::use_recovery_code(work.conn(), person, &hash, now).await?;
    Ok(if used {
        Ok(())
    } else {
        Err(Refusal::SecondFactorWrong)
    })
}

fn hash_recovery(app: &App, person: Uuid, normalised: &str) -> [u8; 32] {
    app.secrets
        .hashes
        .hash("recovery-code", &[person.as_bytes(), normalised.as_bytes()])
}

/// Ten fresh recovery codes in the place of all others; they are shown once.
pub(super) async fn renew_recovery_codes(work: &mut Work<'_>, person: Uuid) -> Result<Vec<String>, Error> {
    let app = work.app();
    let codes: Vec<String> = (0..recovery_code::COUNT)
        .map(|_| recovery_code::from_random(app.ambient.bytes()))
        .collect();
    let hashes: Vec<[u8; 32]> = codes
        .iter()
        .map(|code| hash_recovery(app, person, &recovery_code::normalised(code).unwrap_or_default()))
        .collect();
    credentials::put_recovery_codes(work.conn(), person, &hashes).await?;
    Ok(codes)
}

/// The secret of an authenticator, sealed for its person.
pub(super) fn seal(app: &App, person: Uuid, secret: &TotpSecret) -> Result<Vec<u8>, Error> {
    Ok(app
        .secrets
        .totp
        .seal(&app.ambient, person.as_bytes(), secret.bytes())?)
}

pub(super) fn open(app: &App, person: Uuid, sealed: &[u8]) -> Result<TotpSecret, Error> {
    Ok(TotpSecret::new(
        app.secrets.totp.open(person.as_bytes(), sealed)?.to_vec(),
    ))
}
