//! Asks a signed-in person for the password again, and asks whether the session still stands.

use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;
use wathiq_chassis::Caller;

use super::work::Work;
use super::{App, Error, limits};
use crate::domain::person::Person;
use crate::domain::refusal::Refusal;
use crate::domain::session::Session;
use crate::store::{credentials, people, sessions};

/// A password that was right when it was compared, which took a while.
pub(super) struct Verified {
    /// What it was compared with.
    hash: Option<String>,
}

/// Limited for each session, so that who took one over cannot guess on, nor keep the person from their other sessions.
///
/// # Errors
/// [`Refusal::PasswordWrong`], [`Error::Limited`].
pub(super) async fn password(app: &App, caller: &Caller, password: &SecretString) -> Result<Verified, Error> {
    let limit = limits::of(limits::REAUTHENTICATION, &[&caller.session_id.to_string()]);
    let taken = app.limit(&[limit]).await?;
    let mut conn = app.pool.acquire().await?;
    let hash = credentials::password_of(&mut conn, caller.person_id).await?;
    drop(conn);
    let checked = app.hasher.verify(hash.as_deref(), password.expose_secret()).await;
    match checked {
        Ok(true) => {
            app.unlimit(taken).await?;
            Ok(Verified { hash })
        }
        Ok(false) => Err(Refusal::PasswordWrong.into()),
        Err(error) => {
            // Nothing was tried.
            app.unlimit(taken).await?;
            Err(error.into())
        }
    }
}

impl Verified {
    /// The person, locked, whose password and session are what they were when the password was compared.
    ///
    /// # Errors
    /// [`Refusal::SessionExpired`], [`Refusal::PasswordWrong`].
    pub(super) async fn lock_person(self, work: &mut Work<'_>, caller: &Caller) -> Result<Person, Error> {
        let person = lock_person(work, caller).await?;
        let now = credentials::password_of(work.conn(), person.id).await?;
        if is_same(self.hash.as_deref(), now.as_deref()) {
            Ok(person)
        } else {
            Err(Refusal::PasswordWrong.into())
        }
    }
}

/// Whether a stored hash is the one that a password was compared with.
pub(super) fn is_same(compared: Option<&str>, stored: Option<&str>) -> bool {
    compared.is_some() && compared == stored
}

/// The caller's person, locked, in a session that is live: a token outlives its session by minutes, and what changes
/// credentials does not wait for its end.
///
/// # Errors
/// [`Refusal::SessionExpired`].
pub(super) async fn lock_person(work: &mut Work<'_>, caller: &Caller) -> Result<Person, Error> {
    let person = people::lock(work.conn(), caller.person_id)
        .await?
        .ok_or(Refusal::SessionExpired)?;
    let app = work.app();
    live_session(work.conn(), app, caller).await?;
    Ok(person)
}

/// The caller's session, which stays as it is until the transaction ends.
///
/// # Errors
/// [`Refusal::SessionExpired`].
pub(super) async fn live_session(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
) -> Result<Session, Error> {
    let now = app.ambient.now();
    sessions::hold(conn, caller.session_id)
        .await?
        .filter(|session| {
            session.person_id == caller.person_id
                && session.is_live(app.policy.lifetime(session.surface), now)
        })
        .ok_or_else(|| Refusal::SessionExpired.into())
}
