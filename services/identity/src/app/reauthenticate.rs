//! Asks a signed-in person for the password again.

use secrecy::{ExposeSecret, SecretString};
use wathiq_chassis::Caller;

use super::{App, Error, limits};
use crate::domain::refusal::Refusal;
use crate::store::credentials;

/// Limited for each session, so that who took one over cannot guess on, nor keep the person from their other sessions.
///
/// # Errors
/// [`Refusal::PasswordWrong`], [`Error::Limited`].
pub(super) async fn password(app: &App, caller: &Caller, password: &SecretString) -> Result<(), Error> {
    let taken = app
        .limit(limits::REAUTHENTICATION, &[&caller.session_id.to_string()])
        .await?;
    let mut conn = app.pool.acquire().await?;
    let stored = credentials::password_of(&mut conn, caller.person_id).await?;
    drop(conn);
    match app
        .hasher
        .verify(stored.as_deref(), password.expose_secret())
        .await
    {
        Ok(true) => app.unlimit([taken]).await,
        Ok(false) => Err(Refusal::PasswordWrong.into()),
        Err(error) => {
            // Nothing was tried.
            app.unlimit([taken]).await?;
            Err(error.into())
        }
    }
}
