use serde_json::Value;
use uuid::Uuid;

use super::work::begin;
use super::{App, Command, Error, Reply, change};
use crate::domain::shipment::Shipment;
use crate::events::publish;
use crate::store::{events, shipments};

/// Withdraws a shipment of an owner while it is at the office.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Refused`] once it was handed over.
pub async fn cancel_shipment<R: Reply>(
    app: &App,
    command: &Command,
    owner: &str,
    id: Uuid,
    reply: impl FnOnce(&Shipment) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let found = shipments::lock(work.conn(), &[id]).await?.into_iter().next();
    let shipment = found
        .filter(|shipment| shipment.owner == owner)
        .ok_or_else(|| Error::no_shipment(id))?;
    let before = shipment.tracking.exception;
    let heard = events::of_shipment(work.conn(), id).await?;
    let cancelled = shipment.cancel(&heard, &app.codes, app.ambient.now())?;
    let event = publish::cancelled(&cancelled);
    change::save(work.conn(), app, &cancelled, before, event).await?;
    work.audit("cancel_shipment", ("shipment", id), Value::Null)
        .await?;
    work.finish(reply(&cancelled)).await
}
