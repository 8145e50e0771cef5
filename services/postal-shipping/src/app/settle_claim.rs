use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::open_claim::of_callers_office;
use super::work::begin;
use super::{App, Command, Error, Reply, change};
use crate::domain::shipment::{Settlement, Shipment};
use crate::events::publish;
use crate::store::{events, shipments};

/// What the carrier answered.
#[derive(Debug, Clone)]
pub struct CarriersAnswer {
    pub lost: bool,
    pub note: String,
}

/// Records what the carrier answered to a claim of the caller's office.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Refused`] when no claim is open.
pub async fn settle_claim<R: Reply>(
    app: &App,
    caller: &Caller,
    command: &Command,
    (id, answer): (Uuid, CarriersAnswer),
    reply: impl FnOnce(&Shipment) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let shipment = shipments::lock(work.conn(), &[id]).await?.into_iter().next();
    let shipment = of_callers_office(caller, id, shipment)?;
    let heard = events::of_shipment(work.conn(), id).await?;
    let before = shipment.tracking.exception;
    let settlement = Settlement {
        at: app.ambient.now(),
        lost: answer.lost,
        note: answer.note,
    };
    let after = shipment.settle_claim(settlement, &app.codes, &heard)?;
    let event = publish::state_changed(&after);
    change::save(work.conn(), app, &after, before, event).await?;
    let details = json!({ "lost": answer.lost });
    work.audit("settle_claim", ("shipment", id), details).await?;
    work.finish(reply(&after)).await
}
