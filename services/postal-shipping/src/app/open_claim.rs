use serde_json::Value;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::work::begin;
use super::{App, Command, Error, Reply, change, staff};
use crate::domain::shipment::Shipment;
use crate::events::publish;
use crate::store::{events, shipments};

/// Opens a claim at the carrier for a silent or lost shipment of the caller's office.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Refused`].
pub async fn open_claim<R: Reply>(
    app: &App,
    caller: &Caller,
    command: &Command,
    (id, note): (Uuid, String),
    reply: impl FnOnce(&Shipment) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let shipment = shipments::lock(work.conn(), &[id]).await?.into_iter().next();
    let shipment = of_callers_office(caller, id, shipment)?;
    let heard = events::of_shipment(work.conn(), id).await?;
    let before = shipment.tracking.exception;
    let after = shipment.open_claim(note, &app.codes, &heard, app.ambient.now())?;
    let event = publish::state_changed(&after);
    change::save(work.conn(), app, &after, before, event).await?;
    work.audit("open_claim", ("shipment", id), Value::Null).await?;
    work.finish(reply(&after)).await
}

/// A shipment of the office that the caller works at.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) fn of_callers_office(
    caller: &Caller,
    id: Uuid,
    shipment: Option<Shipment>,
) -> Result<Shipment, Error> {
    match shipment {
        Some(shipment) if staff::works_at(caller, shipment.office_id)? => Ok(shipment),
        _ => Err(Error::no_shipment(id)),
    }
}
