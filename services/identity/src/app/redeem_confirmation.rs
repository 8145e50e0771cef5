use serde_json::json;
use uuid::Uuid;

use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::confirmation::{Confirmation, Redemption};
use crate::domain::refusal::Refusal;
use crate::events::publish;
use crate::store::confirmations;

/// Uses a confirmation up. A repeat with the same request id gets the same record; what does not match leaves a trace.
///
/// # Errors
/// [`Refusal::ConfirmationNotFound`], [`Refusal::ConfirmationOpen`], [`Refusal::ConfirmationUsed`],
/// [`Refusal::ConfirmationExpired`], [`Refusal::ConfirmationBarred`], [`Refusal::ConfirmationMismatch`].
pub async fn redeem_confirmation<R: Reply>(
    app: &App,
    command: &Command,
    id: Uuid,
    redemption: Redemption,
    reply: impl FnOnce(&Confirmation) -> R,
) -> Result<R, Error> {
    const ACTION: &str = "confirmation.redeem";
    let mut work = begin!(app, command);
    let confirmation = confirmations::lock(work.conn(), id)
        .await?
        .ok_or(Refusal::ConfirmationNotFound)?;
    let before = confirmation.version;
    let (confirmation, fact) = match confirmation.redeem(redemption, app.ambient.now()) {
        Ok(redeemed) => redeemed,
        Err(refusal) => return Err(work.refuse(refusal, ACTION, ("confirmation", id)).await),
    };
    confirmations::save(work.conn(), &confirmation, before).await?;
    work.audit(ACTION, ("confirmation", id), json!({})).await?;
    work.event(publish::confirmation(&confirmation, fact)).await?;
    work.finish(reply(&confirmation)).await
}
