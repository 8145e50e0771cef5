use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use wathiq_chassis::civil_date;
use zeroize::Zeroizing;

use super::limits::Taken;
use super::work::Work;
use super::{App, Command, Error, limits, reauthenticate};
use crate::crypto::tagged_secret;
use crate::domain::person::Person;
use crate::domain::refusal::Refusal;
use crate::domain::session::{CHALLENGE_ATTEMPTS, CHALLENGE_LIFE, Challenge, Origin, Session};
use crate::domain::vocabulary::{Surface, Word};
use crate::events::publish;
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

/// Checks login and password. The same work is done for a login that has no account. Attempts are limited by address and by
/// account and address; when wrong ones for an account come from many addresses, each of them gets fewer. No address uses up
/// what another has, so that strangers keep nobody out.
///
/// # Errors
/// [`Refusal::CredentialsWrong`], [`Refusal::SecondFactorNotEnrolled`] and [`Refusal::NotStaff`] on the staff surface,
/// [`Error::Limited`].
pub async fn sign_in(app: &App, command: &Command, input: SignIn) -> Result<SignedIn, Error> {
    const ACTION: &str = "session.sign_in";
    let mut conn = app.pool.acquire().await?;
    let stored = credentials::password_by_email(&mut conn, &input.login).await?;
    let account = stored.as_ref().map_or(Uuid::nil(), |row| row.person_id);
    let address = input.origin.client_address.as_str();
    drop(conn);
    let taken = limit(app, &input.login, address).await?;
    let hash = stored.as_ref().map(|row| row.password_hash.as_str());
    let right = match app.hasher.verify(hash, input.password.expose_secret()).await {
        Ok(right) => right,
        Err(error) => {
            // Nothing was tried.
            app.unlimit(taken).await?;
            return Err(error.into());
        }
    };

    let mut work = Work::begin_secret(app, command).await?;
    let now = credentials::hold_password(work.conn(), account).await?;
    // The password may have changed while it was compared.
    let right = right && reauthenticate::is_same(hash, now.as_deref());
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
    work.unlimit(taken).await?;
    work.audit(
        ACTION,
        ("person", person.id),
        json!({ "surface": input.surface.as_str() }),
    )
    .await?;
    work.finish_secret(signed_in).await
}

async fn limit(app: &App, login: &str, address: &str) -> Result<Vec<Taken>, Error> {
    let mut limits = limits::by_source(limits::SIGN_IN_ADDRESS, &[], address);
    limits.extend(limits::by_source(limits::SIGN_IN_ACCOUNT, &[login], address));
    let mut taken = app.limit(&limits).await?;
    let everywhere = limits::of(limits::SIGN_IN_EVERYWHERE, &[login]);
    match app.limit_if_left(&everywhere).await? {
        Some(one) => taken.push(one),
        None => {
            let careful = limits::by_source(limits::SIGN_IN_CAREFUL, &[login], address);
            taken.extend(app.limit(&careful).await?);
        }
    }
    Ok(taken)
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
    work.event(publish::session_opened(&session)).await?;
    let expires_at = session.expires_at(work.app().policy.lifetime(surface));
    Ok(SessionGrant {
        id: session.id,
        secret,
        expires_at,
    })
}

/// A fresh secret as text, and the digest that is stored.
fn fresh_secret(app: &App) -> (Zeroizing<String>, [u8; 32]) {
    let secret = tagged_secret::make(&app.secrets.hashes, &Zeroizing::new(app.ambient.bytes()));
    let hash = digest(&secret);
    (secret, hash)
}

/// The digest of a session's or challenge's secret.
pub(super) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
