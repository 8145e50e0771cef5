use uuid::Uuid;
use wathiq_chassis::Caller;

use super::{App, Error, staff};
use crate::domain::shipment::{Refusal, Shipment};
use crate::domain::vocabulary::State;
use crate::store::shipments;

/// Labels of shipments of the caller's office, in the order asked for.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Refused`] for one that was withdrawn.
pub async fn labels(app: &App, caller: &Caller, office_id: Uuid, ids: &[Uuid]) -> Result<Vec<u8>, Error> {
    staff::at_office(caller, office_id)?;
    let mut conn = app.pool.acquire().await?;
    let found = shipments::get(&mut conn, ids).await?;
    drop(conn);
    let mut ordered = Vec::with_capacity(ids.len());
    for id in ids {
        let shipment = found
            .iter()
            .find(|shipment| shipment.id == *id && shipment.office_id == office_id)
            .ok_or_else(|| Error::no_shipment(id))?;
        ordered.push(printable(shipment)?.clone());
    }
    app.printer.labels(&ordered, app.ambient.now()).await
}

fn printable(shipment: &Shipment) -> Result<&Shipment, Refusal> {
    match shipment.state() {
        state @ State::Cancelled => Err(Refusal::State {
            id: shipment.id,
            state,
        }),
        _ => Ok(shipment),
    }
}
