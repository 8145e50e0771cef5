//! The citizen corrects the address that the post does not take.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::view::OrderView;
use crate::app::{App, AppError, authorise, change, get_order, write};
use crate::domain::address::Address;
use crate::domain::fault::Faults;
use crate::store::{catalogue, orders};

/// What is corrected.
pub struct CorrectAddress {
    pub order_id: Uuid,
    pub address: Address,
    /// The version that the caller saw, where one is said.
    pub seen: Option<i64>,
}

/// Corrects the address, in the same zone: its price stays. Parcels that are numbered already keep theirs.
///
/// # Errors
/// [`AppError`]: `ADDRESS_NOT_ASKED`, `ADDRESS_IN_OTHER_ZONE`, `ORDER_CHANGED`, and everything that is wrong with the fields.
pub async fn correct_address(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: CorrectAddress,
) -> Result<OrderView, AppError> {
    authorise::orderer(caller)?;
    let CorrectAddress {
        order_id,
        mut address,
        seen,
    } = asked;
    if let Begun::New(mut transaction) = idempotent::begin(app, command).await? {
        let order = orders::lock(&mut transaction, order_id).await?;
        let order = order.filter(|order| order.person_id == caller.person_id);
        let order = order.ok_or_else(|| AppError::not_found("order", order_id))?;
        if seen.is_some_and(|version| version != order.version) {
            return Err(AppError::Stale);
        }
        let mut faults = Faults::default();
        faults.below("address", |faults| address.check(faults));
        if !faults.is_empty() {
            return Err(AppError::faults(faults));
        }
        let placed = civil_date(order.created_at);
        let zone = catalogue::zone(&mut transaction, &address.country_code, placed).await?;
        if zone.as_ref() != Some(&order.zone) {
            return Err(AppError::refused(
                "ADDRESS_IN_OTHER_ZONE",
                order_id,
                "what was paid sends it to the same zone only",
            ));
        }
        let parcels = order.parcels_without_address();
        change::change_locked(&mut transaction, app, order, |work| work.correct_address(address)).await?;
        let subject = write::Subject {
            aggregate: "order",
            id: order_id,
        };
        write::audit(
            &mut transaction,
            &app.ambient,
            caller,
            "order.correct_address",
            subject,
            json!({ "parcels": parcels }),
        )
        .await?;
        idempotent::finish(transaction, command, Vec::new()).await?;
    }
    let view = get_order::shown(app, order_id).await?;
    if view.order.person_id == caller.person_id {
        return Ok(view);
    }
    Err(AppError::not_found("order", order_id))
}
