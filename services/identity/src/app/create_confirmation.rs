use serde_json::json;
use wathiq_chassis::{Caller, Surface as TokenSurface};

use super::work::begin;
use super::{App, Command, Error, Reply, reauthenticate};
use crate::domain::confirmation::{Confirmation, HashSet, Purpose};
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::{Surface, Word};
use crate::events::publish;
use crate::store::{confirmations, people};

/// Opens a confirmation of exactly these hashes, for a proved person in a live session with an authenticator.
///
/// # Errors
/// [`Refusal::PersonNotProved`], [`Refusal::SecondFactorNotEnrolled`], [`Refusal::WrongSurface`],
/// [`Refusal::SessionExpired`].
pub async fn create_confirmation<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (purpose, hashes): (Purpose, HashSet),
    reply: impl FnOnce(&Confirmation) -> R,
) -> Result<R, Error> {
    let now = app.ambient.now();
    let mut work = begin!(app, command);
    let session = reauthenticate::live_session(work.conn(), app, caller).await?;
    let person = people::find(work.conn(), caller.person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
    person.require_proved()?;
    if !person.totp_enrolled {
        return Err(Refusal::SecondFactorNotEnrolled.into());
    }
    let surface = match caller.surface {
        TokenSurface::Citizen => Surface::Citizen,
        TokenSurface::Staff => Surface::Staff,
        TokenSurface::Contact => return Err(Refusal::WrongSurface.into()),
    };
    let who = (person.id, session.id, surface);
    let (confirmation, fact) = Confirmation::open(app.ambient.uuid_v7(), who, purpose, hashes, now)?;
    confirmations::insert(work.conn(), &confirmation).await?;
    let details = json!({ "purpose": purpose.as_str(), "hashes": confirmation.hashes.as_slice().len() });
    work.audit("confirmation.open", ("confirmation", confirmation.id), details)
        .await?;
    work.event(publish::confirmation(&confirmation, fact)).await?;
    work.finish(reply(&confirmation)).await
}
