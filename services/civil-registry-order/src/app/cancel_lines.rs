//! The citizen cancels lines, all of them or some.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::view::OrderView;
use crate::app::{App, AppError, authorise, change, get_order, write};
use crate::store::orders;

/// Cancels lines of an order: unpaid ones end, paid ones are refunded; all or none. The order's version must be `seen`, where one is said.
///
/// # Errors
/// [`AppError`]: `LINE_IN_PRODUCTION`, `ORDER_NOT_PAID`, `LINE_STATE`, `ORDER_CHANGED`.
pub async fn cancel_lines(
    app: &App,
    caller: &Caller,
    command: &Command,
    order_id: Uuid,
    lines: &[Uuid],
    seen: Option<i64>,
) -> Result<OrderView, AppError> {
    authorise::orderer(caller)?;
    if let Begun::New(mut transaction) = idempotent::begin(app, command).await? {
        let order = orders::lock(&mut transaction, order_id).await?;
        let order = order.filter(|order| order.person_id == caller.person_id);
        let order = order.ok_or_else(|| AppError::not_found("order", order_id))?;
        if seen.is_some_and(|version| version != order.version) {
            return Err(AppError::Stale);
        }
        change::change_locked(&mut transaction, app, order, |work| work.cancel(lines)).await?;
        let subject = write::Subject {
            aggregate: "order",
            id: order_id,
        };
        let details = json!({ "lines": lines });
        write::audit(
            &mut transaction,
            &app.ambient,
            caller,
            "order.cancel",
            subject,
            details,
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
