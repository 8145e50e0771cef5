use uuid::Uuid;

use super::{App, Error};
use crate::domain::delivery::{Delivery, DeliveryState};
use crate::domain::refusal::Refusal;
use crate::store::deliveries;

/// Where a code stands on its way.
///
/// # Errors
/// [`Refusal::DeliveryNotFound`].
pub async fn get_delivery(app: &App, id: Uuid) -> Result<(Delivery, DeliveryState), Error> {
    let mut conn = app.pool.acquire().await?;
    let delivery = deliveries::find(&mut conn, id)
        .await?
        .ok_or(Refusal::DeliveryNotFound)?;
    let state = delivery.state(app.ambient.now());
    Ok((delivery, state))
}
