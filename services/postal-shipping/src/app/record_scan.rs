use serde_json::json;
use wathiq_chassis::Caller;

use super::take_events::take_events;
use super::work::begin;
use super::{App, Command, Error, Reply, staff};
use crate::domain::carrier_event::CarrierEvent;
use crate::domain::shipment::Shipment;
use crate::domain::vocabulary::Source;
use crate::store::{events, shipments};

/// Records by hand what the carrier said on paper, of a shipment of the caller's office.
///
/// # Errors
/// [`Error::NotFound`] for a number that is not ours, or another office's; [`Error::Refused`] for what was not handed over;
/// [`Error::Invalid`] for a time before that or in the future.
pub async fn record_scan<R: Reply>(
    app: &App,
    caller: &Caller,
    command: &Command,
    event: CarrierEvent,
    reply: impl FnOnce(&Shipment) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let (number, code) = (event.tracking_id, event.code.clone());
    let found = shipments::by_number(work.conn(), number).await?;
    let office = found.as_ref().map(|shipment| shipment.office_id);
    let allowed = match office {
        Some(office) => staff::works_at(caller, office)?,
        None => false,
    };
    let shipment = found
        .filter(|_| allowed)
        .ok_or_else(|| Error::no_shipment(number))?;
    let heard = events::of_shipment(work.conn(), shipment.id).await?;
    shipment.check_typed(&event, &heard, &app.codes, app.ambient.now())?;
    take_events(work.conn(), app, Source::Scan, vec![event]).await?;
    let details = json!({ "code": code });
    work.audit("record_scan", ("shipment", shipment.id), details)
        .await?;
    let after = shipments::by_number(work.conn(), number).await?;
    let after = after.ok_or_else(|| Error::no_shipment(number))?;
    work.finish(reply(&after)).await
}
