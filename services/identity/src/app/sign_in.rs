use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use wathiq_chassis::civil_date;
use zeroize::Zeroizing;

use super::work::Work;
use super::{App, Command, Error, limits};
use crate::domain::person::Person;
use crate::domain::refusal::Refusal;
use crate::domain::session::{CHALLENGE_ATTEMPTS, CHALLENGE_LIFE, Challenge, Origin, Session};
use crate::domain::vocabulary::{Surface, Word};
use crate::store::{credentials, memberships, people, sessions};

/// What is asked.
pub struct SignIn {
    /// Folded e-mail address, or what was typed in its place.
    pub login: String,
    pub password: SecretString,
    pub surface: Surface,
    pub origin: Origin,
}

/// A new session; its secret is shown once.
pub struct SessionGrant {
    pub id: Uuid,
    pub secret: Zeroizing<String>,
    pub expires_at: DateTime<Utc>,
}

/// What the first step leads to.
pub enum SignedIn {
    Session(SessionGrant),
    /// A second factor is needed.
    Challenge {
        secret: Zeroizing<String>,
        expires_at: DateTime<Utc>,
    },
}

/// Checks login and password. The same work is done for a login that has no account. Attempts are limited by address, and by
/// account and address: a stranger elsewhere cannot keep the holder out.
///
/// # Errors
/// [`Refusal::CredentialsWrong`], [`Refusal::SecondFactorNotEnrolled`] and [`Refusal::NotStaff`] on the staff surface,
/// [`Error::Limited`].
pub async fn sign_in(app: &App, command: &Command, input: SignIn) -> Result<SignedIn, Error> {
    const ACTION: &str = "session.sign_in";
    let address = input.origin.client_address.as_str();
    let by_address = app.limit(limits::SIGN_IN_ADDRESS, &[address]).await?;
    let by_account = app
        .limit(limits::SIGN_IN_ACCOUNT, &[&input.login, address])
        .await?;
    let mut conn = app.pool.acquire().await?;
    let stored = credentials::password_by_email(&mut conn, &input.login).await?;
    drop(conn);
    let hash = stored.as_ref().map(|row| row.password_hash.as_str());
    let right = app.hasher.verify(hash, input.password.expose_secret()).await?;

    let mut work = Work::begin_secret(app, command).await?;
    let account = stored.as_ref().map_or(Uuid::nil(), |row| row.person_id);
    let person = people::find(work.conn(), account).await?.filter(|_| right);
    let Some(person) = person else {
        return Err(work
            .refuse(Refusal::CredentialsWrong, ACTION, ("person", account))
            .await);
    };
    if let Err(refusal) = may_use(&mut work, &person, input.surface).await? {
        return Err(work.refuse(refusal, ACTION, ("person", person.id)).await);
    }
    let signed_in = if person.totp_enrolled {
        challenge(&mut work, &person, input.surface, input.origin).await?
    } else {
        SignedIn::Session(open_session(&mut work, person.id, input.surface, input.origin).await?)
    };
    work.unlimit(by_account).await?;
    work.unlimit(by_address).await?;
    work.audit(
        ACTION,
        ("person", person.id),
        json!({ "surface": input.surface.as_str() }),
    )
    .await?;
    work.finish_secret(signed_in).await
}

/// Staff sign in with a second factor and hold a role today.
async fn may_use(
    work: &mut Work<'_>,
    person: &Person,
    surface: Surface,
) -> Result<Result<(), Refusal>, Error> {
    if surface == Surface::Citizen {
        return Ok(Ok(()));
    }
    if !person.totp_enrolled {
        return Ok(Err(Refusal::SecondFactorNotEnrolled));
    }
    let today = civil_date(work.ambient().now());
    let holds = person.platform_administrator
        || !memberships::grants(work.conn(), person.id, today)
            .await?
            .is_empty();
    Ok(if holds { Ok(()) } else { Err(Refusal::NotStaff) })
}

async fn challenge(
    work: &mut Work<'_>,
    person: &Person,
    surface: Surface,
    origin: Origin,
) -> Result<SignedIn, Error> {
    let ambient = work.ambient();
    let (secret, hash) = fresh_secret(work.app());
    let expires_at = ambient.now() + CHALLENGE_LIFE;
    let challenge = Challenge {
        id: ambient.uuid_v7(),
        person_id: person.id,
        surface,
        attempts_left: CHALLENGE_ATTEMPTS,
        expires_at,
        used: false,
        origin,
    };
    sessions::insert_challenge(work.conn(), &challenge, &hash).await?;
    Ok(SignedIn::Challenge { secret, expires_at })
}

/// Opens a session for someone who has shown all that is needed.
pub(super) async fn open_session(
    work: &mut Work<'_>,
    person_id: Uuid,
    surface: Surface,
    origin: Origin,
) -> Result<SessionGrant, Error> {
    let (secret, hash) = fresh_secret(work.app());
    let now = work.ambient().now();
    let session = Session {
        id: work.ambient().uuid_v7(),
        person_id,
        surface,
        created_at: now,
        last_used_at: now,
        ended_at: None,
        origin,
    };
    sessions::insert(work.conn(), &session, &hash).await?;
    let expires_at = session.expires_at(work.app().policy.lifetime(surface));
    Ok(SessionGrant {
        id: session.id,
        secret,
        expires_at,
    })
}

/// 256 random bits as text, and the digest that is stored.
fn fresh_secret(app: &App) -> (Zeroizing<String>, [u8; 32]) {
    let secret = Zeroizing::new(BASE64URL_NOPAD.encode(&*Zeroizing::new(app.ambient.bytes::<32>())));
    let hash = digest(&secret);
    (secret, hash)
}

/// The digest of a session's or challenge's secret.
pub(super) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
