//! What is asked of payment.

use chrono::TimeDelta;

use super::Hindrance;
use crate::app::{App, AppError, change};
use crate::clients::ClientError;
use crate::clients::payment::{Item, Opening, Payable, PayableState};
use crate::domain::order::Order;
use crate::domain::order::work::WorkError;
use crate::domain::state::{EndReason, LineState};
use crate::store::outward::{self, Task};
use crate::store::{catalogue, orders};

/// Payment opens nothing that expires sooner.
const SHORTEST: TimeDelta = TimeDelta::minutes(5);

/// Opens the payable of an order.
pub(super) async fn open(app: &App, task: Task) -> Result<(), Hindrance> {
    let (order, opening) = {
        let mut conn = app.pool.acquire().await?;
        let order = order_of(&mut conn, task).await?;
        let opening = opening(&mut conn, &order, task).await?;
        (order, opening)
    };
    let payable = match app.payment.open(opening).await {
        Ok(payable) => Some(payable),
        // An earlier call may have been taken whose answer was lost.
        Err(error @ ClientError::Refused { .. }) => match app.payment.of_order(order.id).await? {
            Some(payable) => Some(payable),
            None if app.ambient.now() + SHORTEST > order.pay_before => None,
            None => return Err(error.into()),
        },
        Err(error) => return Err(error.into()),
    };
    apply(app, task, payable).await
}

/// Withdraws the payable of an order, because the citizen cancelled or nobody paid in time.
pub(super) async fn withdraw(app: &App, task: Task) -> Result<(), Hindrance> {
    let order = {
        let mut conn = app.pool.acquire().await?;
        order_of(&mut conn, task).await?
    };
    // Opening comes before in the same row of tasks: what has no payable never had one.
    let Some(payable_id) = order.payable_id else {
        return apply(app, task, None).await;
    };
    let payable = match app.payment.cancel(task.id, payable_id).await {
        Ok(payable) => payable,
        Err(error) if error.reason().as_deref() == Some("PAYABLE_PAID") => Payable {
            id: payable_id,
            state: PayableState::Paid,
        },
        Err(error) => return Err(error.into()),
    };
    apply(app, task, Some(payable)).await
}

/// Writes down where a payable stands, and that the task is done.
async fn apply(app: &App, task: Task, payable: Option<Payable>) -> Result<(), Hindrance> {
    let act = |work: &mut crate::domain::order::work::Work<'_>| -> Result<(), WorkError> {
        let Some(payable) = payable else {
            return work.not_paid();
        };
        work.payable_opened(payable.id);
        match payable.state {
            PayableState::Open => Ok(()),
            PayableState::Paid => work.paid(payable.id),
            PayableState::Ended => work.not_paid(),
        }
    };
    let mut transaction = app.pool.begin().await?;
    change::change(&mut transaction, app, task.subject, act).await?;
    outward::end(&mut transaction, task.id, None, app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(())
}

/// Asks for the money of a line back.
pub(super) async fn refund(app: &App, task: Task) -> Result<(), Hindrance> {
    let mut conn = app.pool.acquire().await?;
    let order = order_of(&mut conn, task).await?;
    let line = order
        .line(task.subject)
        .ok_or(AppError::not_found("order_line", task.subject))?;
    let (true, Some(payable_id)) = (line.state == LineState::Refunding, order.payable_id) else {
        outward::end(&mut conn, task.id, None, app.ambient.now()).await?;
        return Ok(());
    };
    let reason = line.end_reason.unwrap_or(EndReason::Cancelled);
    let (line_id, centimes) = (line.id, line.price.amount);
    drop(conn);
    let reason_code = format!("LINE_{}", reason.as_str());
    let asked = app
        .payment
        .refund(task.id, payable_id, line_id, centimes, reason_code)
        .await;
    let refused = match asked {
        Ok(()) => None,
        // It would say the same again: somebody is told at once.
        Err(error) if error.is_final() => Some(error.reason().unwrap_or_else(|| "REFUSED".to_owned())),
        Err(error) => return Err(error.into()),
    };
    let mut transaction = app.pool.begin().await?;
    if refused.is_some() {
        change::change(&mut transaction, app, order.id, |work| {
            work.refund_failed(line_id)
        })
        .await?;
    }
    outward::end(&mut transaction, task.id, refused.as_deref(), app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(())
}

async fn order_of(conn: &mut sqlx::PgConnection, task: Task) -> Result<Order, Hindrance> {
    let id = task.order_id.unwrap_or(task.subject);
    let order = orders::get(conn, id).await?;
    Ok(order.ok_or_else(|| AppError::not_found("order", id))?)
}

async fn opening(conn: &mut sqlx::PgConnection, order: &Order, task: Task) -> Result<Opening, Hindrance> {
    let ids: Vec<uuid::Uuid> = order.lines.iter().map(|line| line.kind_id).collect();
    let kinds = catalogue::kinds_by_id(conn, &ids).await?;
    let items = order.lines.iter().map(|line| {
        let kind = kinds.iter().find(|kind| kind.id == line.kind_id);
        let label = |name: &str| format!("{} × {name}", line.copies);
        Item {
            reference: line.id,
            label_ar: kind.map(|kind| label(&kind.name_ar)).unwrap_or_default(),
            label_fr: kind.map(|kind| label(&kind.name_fr)).unwrap_or_default(),
            centimes: line.price.amount,
        }
    });
    Ok(Opening {
        request_id: task.id,
        order_id: order.id,
        reference: order.reference.to_string(),
        items: items.collect(),
        payer_id: order.person_id,
        payer_name: order.applicant.name.shown(),
        payer_email: order.applicant.email.clone(),
        payer_phone: order.applicant.phone.clone(),
        expires_at: order.pay_before,
    })
}
