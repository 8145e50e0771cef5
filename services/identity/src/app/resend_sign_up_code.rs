use serde_json::json;
use uuid::Uuid;

use super::work::begin;
use super::{App, Command, Error, Reply, sign_up};
use crate::domain::delivery::Delivery;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::{Channel, Word};
use crate::store::sign_ups;

/// Sends a fresh code; the one before stops working.
///
/// # Errors
/// [`Refusal::SignUpNotFound`], [`Refusal::ContactAlreadyProved`], [`Error::Limited`].
pub async fn resend_sign_up_code<R: Reply>(
    app: &App,
    command: &Command,
    (id, channel, client_address): (Uuid, Channel, &str),
    reply: impl FnOnce(Delivery) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let sign_up = sign_ups::lock(work.conn(), id)
        .await?
        .ok_or(Refusal::SignUpNotFound)?;
    sign_up.require_open(app.ambient.now())?;
    if sign_up.is_proved(channel) {
        return Err(Refusal::ContactAlreadyProved.into());
    }
    let delivery = sign_up::send(&mut work, &sign_up, channel, client_address).await?;
    work.audit(
        "sign_up.resend_code",
        ("sign_up", id),
        json!({ "channel": channel.as_str() }),
    )
    .await?;
    work.finish(reply(delivery)).await
}
