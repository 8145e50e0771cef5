use uuid::Uuid;
use zeroize::Zeroizing;

use super::deliver::Sealed;
use super::{App, Error};
use crate::domain::delivery::Delivery;
use crate::domain::refusal::Refusal;
use crate::store::deliveries;

/// What is to be sent, and where to.
pub struct TakenDelivery {
    pub delivery: Delivery,
    pub address: Zeroizing<String>,
    /// Empty for a notice.
    pub code: Zeroizing<String>,
}

/// Hands a delivery over, once: to one request id, which may ask again until it expires. One that stands for a code to an
/// address without an account is taken as well, so that its states tell nothing, and is said to be too old.
///
/// # Errors
/// [`Refusal::DeliveryNotFound`], [`Refusal::DeliveryTaken`], [`Refusal::DeliveryExpired`].
pub async fn take_delivery(app: &App, id: Uuid, request_id: Uuid) -> Result<TakenDelivery, Error> {
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    let (delivery, sealed) = deliveries::lock(&mut transaction, id)
        .await?
        .ok_or(Refusal::DeliveryNotFound)?;
    let delivery = delivery.take(request_id, now)?;
    let sealed = sealed.ok_or(Refusal::DeliveryExpired)?;
    let content = app.secrets.deliveries.open(id.as_bytes(), &sealed)?;
    let content: Sealed = serde_json::from_slice(&content).map_err(Error::SealedContent)?;
    deliveries::save_taken(&mut transaction, &delivery, now).await?;
    transaction.commit().await?;
    if delivery.silent {
        return Err(Refusal::DeliveryExpired.into());
    }
    Ok(TakenDelivery {
        delivery,
        address: Zeroizing::new(content.address),
        code: Zeroizing::new(content.code),
    })
}
