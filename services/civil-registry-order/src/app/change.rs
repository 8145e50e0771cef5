//! Changing orders: locked, worked on in memory, written whole with their events and with what others are to be asked.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_outbox::NewEvent;

use crate::app::{App, AppError};
use crate::domain::order::Order;
use crate::domain::order::fact::Fact;
use crate::domain::order::settled::{Settled, settled};
use crate::domain::order::work::{Work, WorkError};
use crate::domain::working_days::Calendar;
use crate::events::publish;
use crate::store::outward::{self, Task};
use crate::store::{catalogue, history, orders, settlement};

/// Locks an order and does something to it, in the transaction of `conn`.
///
/// # Errors
/// [`AppError`]; nothing is written then.
pub async fn change(
    conn: &mut PgConnection,
    app: &App,
    order_id: Uuid,
    act: impl FnOnce(&mut Work<'_>) -> Result<(), WorkError>,
) -> Result<(), AppError> {
    let mut changes = Changes::lock(conn, app, &[order_id]).await?;
    changes.change(order_id, act)?;
    changes.write(conn).await
}

/// As [`change`], of an order that is locked already.
///
/// # Errors
/// [`AppError`]; nothing is written then.
pub async fn change_locked(
    conn: &mut PgConnection,
    app: &App,
    order: Order,
    act: impl FnOnce(&mut Work<'_>) -> Result<(), WorkError>,
) -> Result<(), AppError> {
    let order_id = order.id;
    let mut changes = Changes::of(conn, app, vec![order]).await?;
    changes.change(order_id, act)?;
    changes.write(conn).await
}

/// Orders that change together: each may be worked on several times, and all are written by a few statements in the end.
pub struct Changes<'app> {
    app: &'app App,
    calendar: Calendar,
    now: DateTime<Utc>,
    orders: BTreeMap<Uuid, Changing>,
    steps: Vec<(Uuid, history::Entry)>,
    events: Vec<NewEvent>,
    tasks: Vec<Task>,
}

struct Changing {
    locked: Order,
    order: Order,
}

impl<'app> Changes<'app> {
    /// Locks orders. Those that are not there are left out.
    ///
    /// # Errors
    /// [`AppError`] of the database.
    pub async fn lock(conn: &mut PgConnection, app: &'app App, ids: &[Uuid]) -> Result<Self, AppError> {
        let locked = orders::lock_all(conn, ids).await?;
        Self::of(conn, app, locked).await
    }

    /// Of orders that are locked already.
    ///
    /// # Errors
    /// [`AppError`] of the database.
    pub async fn of(conn: &mut PgConnection, app: &'app App, locked: Vec<Order>) -> Result<Self, AppError> {
        let changing = |locked: Order| {
            let order = locked.clone();
            (order.id, Changing { locked, order })
        };
        Ok(Self {
            app,
            calendar: catalogue::calendar(conn).await?,
            now: app.ambient.now(),
            orders: locked.into_iter().map(changing).collect(),
            steps: Vec::new(),
            events: Vec::new(),
            tasks: Vec::new(),
        })
    }

    /// Does something to an order, in memory. Its events belong to the current trace.
    ///
    /// # Errors
    /// [`AppError`]; the order is as it was then.
    pub fn change(
        &mut self,
        order_id: Uuid,
        act: impl FnOnce(&mut Work<'_>) -> Result<(), WorkError>,
    ) -> Result<(), AppError> {
        let app = self.app;
        let changing = self.orders.get_mut(&order_id);
        let changing = changing.ok_or_else(|| AppError::not_found("order", order_id))?;
        let mut new_id = || app.ambient.uuid_v7();
        let before = changing.order.clone();
        let mut work = Work::on(before, self.now, &self.calendar, app.orders.terms(), &mut new_id);
        act(&mut work)?;
        let Work {
            mut order,
            facts,
            due,
            ..
        } = work;
        if order == changing.order && facts.is_empty() && due.is_empty() {
            return Ok(());
        }
        order.updated_at = self.now;
        let first = order.version + 1;
        order.version += i64::try_from(facts.len()).unwrap_or(i64::MAX);
        for (sequence, fact) in (first..).zip(&facts) {
            let (step, event) = told(&order, fact, sequence, self.now);
            self.steps.push((order_id, step));
            self.events.push(event);
        }
        self.tasks.extend(due.into_iter().map(|due| Task {
            id: app.ambient.uuid_v7(),
            kind: due.kind,
            subject: due.subject,
            order_id: Some(order_id),
            attempts: 0,
            created_at: self.now,
        }));
        changing.order = order;
        Ok(())
    }

    /// Writes what has changed, with the history, the events and what is due at other services.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn write(self, conn: &mut PgConnection) -> Result<(), AppError> {
        let orders = self.orders.values();
        let pairs: Vec<(&Order, &Order)> = orders
            .map(|changing| (&changing.locked, &changing.order))
            .collect();
        orders::save_all(conn, &pairs).await?;
        let settled: Vec<Settled> = pairs
            .iter()
            .flat_map(|(before, after)| settled(before, after))
            .collect();
        settlement::add_all(conn, &settled, self.now).await?;
        history::add_all(conn, &self.steps).await?;
        wathiq_outbox::append_all(conn, &self.app.ambient, &self.events).await?;
        outward::add_all(conn, &self.tasks, None).await?;
        Ok(())
    }
}

/// Appends the event of a fact and its line in the history.
///
/// # Errors
/// [`AppError`].
pub async fn tell(
    conn: &mut PgConnection,
    app: &App,
    order: &Order,
    fact: &Fact,
    sequence: i64,
) -> Result<(), AppError> {
    let (step, event) = told(order, fact, sequence, app.ambient.now());
    history::add_all(conn, &[(order.id, step)]).await?;
    wathiq_outbox::append(conn, &app.ambient, event).await?;
    Ok(())
}

fn told(order: &Order, fact: &Fact, sequence: i64, at: DateTime<Utc>) -> (history::Entry, NewEvent) {
    let told = publish::told(order, fact, sequence);
    let step = history::Entry {
        sequence,
        at,
        event: told.name.to_owned(),
        line_ids: told.lines,
    };
    (step, told.event)
}
