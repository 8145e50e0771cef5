use uuid::Uuid;

use super::{App, Error};
use crate::domain::shipment::Shipment;
use crate::domain::tracking::{RecordedEvent, fold_steps};
use crate::store::{events, shipments};

/// What a shipment is asked for by.
#[derive(Debug, Clone)]
pub enum Key {
    Id(Uuid),
    OwnerReference(String),
}

/// A shipment of an owner with its events in order of event time.
///
/// # Errors
/// [`Error::NotFound`] when it is unknown or another owner's.
pub async fn get_shipment(
    app: &App,
    owner: &str,
    key: &Key,
) -> Result<(Shipment, Vec<RecordedEvent>), Error> {
    let mut conn = app.pool.acquire().await?;
    let found = match key {
        Key::Id(id) => shipments::get(&mut conn, &[*id]).await?.into_iter().next(),
        Key::OwnerReference(reference) => shipments::by_reference(&mut conn, owner, reference).await?,
    };
    let shipment = found.filter(|shipment| shipment.owner == owner).ok_or_else(|| {
        Error::no_shipment(match key {
            Key::Id(id) => id.to_string(),
            Key::OwnerReference(reference) => reference.clone(),
        })
    })?;
    let events = events::of_shipment(&mut conn, shipment.id).await?;
    let (_, steps) = fold_steps(shipment.basis(), &events, &shipment.recipients(), &app.codes);
    let ordered = steps.into_iter().map(|step| step.recorded.clone()).collect();
    Ok((shipment, ordered))
}
