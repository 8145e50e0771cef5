//! One order, for who placed it.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::view::{self, OrderView, Recipient};
use crate::app::{App, AppError, authorise};
use crate::domain::reference::Reference;
use crate::store::orders;

/// Which order.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    Id(Uuid),
    Reference(Reference),
}

/// Shows the order to who placed it; others do not find it.
///
/// # Errors
/// [`AppError`].
pub async fn get_order(app: &App, caller: &Caller, key: Key) -> Result<OrderView, AppError> {
    authorise::orderer(caller)?;
    let unknown = || match key {
        Key::Id(id) => AppError::not_found("order", id),
        Key::Reference(reference) => AppError::not_found("order", reference),
    };
    let mut view = {
        let mut conn = app.pool.acquire().await?;
        let id = match key {
            Key::Id(id) => Some(id),
            Key::Reference(reference) => orders::id_of_reference(&mut conn, &reference).await?,
        };
        let order = match id {
            Some(id) => orders::get(&mut conn, id).await?,
            None => None,
        };
        let order = order.filter(|order| order.person_id == caller.person_id);
        view::of(&mut conn, order.ok_or_else(unknown)?).await?
    };
    view.recipients = recipients(app, &view).await;
    Ok(view)
}

/// An order as it stands.
///
/// # Errors
/// [`AppError`].
pub async fn shown(app: &App, id: Uuid) -> Result<OrderView, AppError> {
    let mut conn = app.pool.acquire().await?;
    let order = orders::get(&mut conn, id).await?;
    view::of(&mut conn, order.ok_or_else(|| AppError::not_found("order", id))?).await
}

/// Who took the parcels that were delivered. Kept nowhere here: an order is shown without it while postal-shipping does not answer.
async fn recipients(app: &App, view: &OrderView) -> Vec<Recipient> {
    let mut recipients = Vec::new();
    for parcel in &view.order.parcels {
        if parcel.shipment_state != "DELIVERED" && parcel.exception_code.is_empty() {
            continue;
        }
        match app.postal.of_parcel(parcel.id).await {
            Ok(shipment) => recipients.push(Recipient {
                parcel_id: parcel.id,
                name: shipment.recipient_name,
                document_kind: shipment.recipient_document_kind,
                document_last_four: shipment.recipient_document_last_four,
            }),
            Err(error) => tracing::warn!(
                event = "order.recipient_unknown",
                error = wathiq_chassis::status::chain(&error),
                "an order is shown without who took its parcel"
            ),
        }
    }
    recipients
}
