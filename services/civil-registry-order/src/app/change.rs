//! Changing an order: locked, worked on in memory, written whole with its events and with what others are to be asked.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::app::{App, AppError};
use crate::domain::order::Order;
use crate::domain::order::work::{Work, WorkError};
use crate::events::publish;
use crate::store::outward::{self, Task};
use crate::store::{catalogue, history, orders};

/// Locks an order and does something to it, in the transaction of `conn`. Gives the order as it is then, and what is due at other services.
///
/// # Errors
/// [`AppError`]; nothing is written then.
pub async fn change(
    conn: &mut PgConnection,
    app: &App,
    order_id: Uuid,
    act: impl FnOnce(&mut Work<'_>) -> Result<(), WorkError>,
) -> Result<(Order, Vec<Task>), AppError> {
    let before = orders::lock(conn, order_id)
        .await?
        .ok_or_else(|| AppError::not_found("order", order_id))?;
    change_locked(conn, app, before, act).await
}

/// As [`change`], of an order that is locked already.
///
/// # Errors
/// [`AppError`]; nothing is written then.
pub async fn change_locked(
    conn: &mut PgConnection,
    app: &App,
    before: Order,
    act: impl FnOnce(&mut Work<'_>) -> Result<(), WorkError>,
) -> Result<(Order, Vec<Task>), AppError> {
    let calendar = catalogue::calendar(conn).await?;
    let now = app.ambient.now();
    let ambient = app.ambient.clone();
    let mut new_id = move || ambient.uuid_v7();
    let mut work = Work::on(before.clone(), now, &calendar, app.orders.terms(), &mut new_id);
    act(&mut work)?;
    let Work {
        mut order,
        facts,
        due,
        ..
    } = work;
    if order == before && facts.is_empty() && due.is_empty() {
        return Ok((order, Vec::new()));
    }
    order.updated_at = now;
    order.version = before.version + i64::try_from(facts.len()).unwrap_or(i64::MAX);
    orders::save(conn, &before, &order).await?;
    for (sequence, fact) in (before.version + 1..).zip(&facts) {
        tell(conn, app, &order, fact, sequence).await?;
    }
    let mut tasks = Vec::with_capacity(due.len());
    for due in due {
        let task = Task {
            id: app.ambient.uuid_v7(),
            kind: due.kind,
            subject: due.subject,
            order_id: Some(order.id),
            attempts: 0,
            created_at: now,
        };
        outward::add(conn, &task, None).await?;
        tasks.push(task);
    }
    Ok((order, tasks))
}

/// Appends the event of a fact and its line in the history.
///
/// # Errors
/// [`AppError`].
pub async fn tell(
    conn: &mut PgConnection,
    app: &App,
    order: &Order,
    fact: &crate::domain::order::fact::Fact,
    sequence: i64,
) -> Result<(), AppError> {
    let told = publish::told(order, fact, sequence);
    let entry = history::Entry {
        sequence,
        at: app.ambient.now(),
        event: told.name.to_owned(),
        line_ids: told.lines,
    };
    history::add(conn, order.id, &entry).await?;
    wathiq_outbox::append(conn, &app.ambient, told.event).await?;
    Ok(())
}
