use chrono::{DateTime, Utc};

use super::{App, Error};
use crate::domain::shipment::Shipment;
use crate::domain::tracking::{Step, fold_steps};
use crate::domain::tracking_id::TrackingId;
use crate::domain::vocabulary::State;
use crate::store::{events, shipments};

/// A step as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicStep {
    pub state: State,
    pub at: DateTime<Utc>,
    pub place: Option<String>,
}

/// Where an item is, without personal data.
///
/// # Errors
/// [`Error::NotFound`] for a number that is not ours.
pub async fn track(app: &App, number: TrackingId) -> Result<(Shipment, Vec<PublicStep>), Error> {
    let mut conn = app.pool.acquire().await?;
    let shipment = shipments::by_number(&mut conn, number)
        .await?
        .ok_or_else(|| Error::no_shipment(number))?;
    let heard = events::of_shipment(&mut conn, shipment.id).await?;
    let (_, steps) = fold_steps(shipment.basis(), &heard, &shipment.recipients(), &app.codes);
    let handed_over = shipment.handover.map(|handover| PublicStep {
        state: State::HandedOver,
        at: handover.at,
        place: None,
    });
    let told = steps.iter().filter_map(|step| public(app, &shipment, step));
    let mut steps: Vec<PublicStep> = handed_over.into_iter().chain(told).collect();
    steps.sort_by_key(|step| step.at);
    Ok((shipment, steps))
}

fn public(app: &App, shipment: &Shipment, step: &Step<'_>) -> Option<PublicStep> {
    let event = &step.recorded.event;
    // Of an attempt or a delivery the place may be somebody's door; and a carrier may write a name anywhere.
    let is_office = app.codes.meaning(&event.code)?.public_place;
    let place = event
        .place
        .clone()
        .filter(|place| is_office && !shipment.recipients().are_named_in(place));
    Some(PublicStep {
        state: step.state?,
        at: event.event_time,
        place,
    })
}
