//! What payment, postal-shipping and signature tell. Events may come twice, late, and before the answer to the call that caused them.

mod happening;

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::PgConnection;
use tracing::Span;
use uuid::Uuid;
use wathiq_outbox::{Delivery, HandleError, Handler, Record};

use crate::app::change::Changes;
use crate::app::{App, AppError};
use crate::store::{StoreError, orders};
use happening::{Happening, Subject};

/// Consumer group, and the consumer's name in the inbox.
pub const CONSUMER: &str = "civil-registry-order.events";
/// The topics with events that move orders.
pub const TOPICS: &[&str] = &[
    "wathiq.payment.payable.v1",
    "wathiq.postal-shipping.shipment.v1",
    "wathiq.signature.issued-document.v1",
];

/// Applies the events of others.
pub struct Consume {
    app: Arc<App>,
}

impl Consume {
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

impl Handler for Consume {
    async fn handle(&self, conn: &mut PgConnection, record: &Record) -> Result<(), HandleError> {
        let span = Span::current();
        self.handle_all(conn, &[Delivery { record, span }]).await
    }

    /// Each order is locked, read and written once, however many of the records are about it.
    async fn handle_all(
        &self,
        conn: &mut PgConnection,
        deliveries: &[Delivery<'_>],
    ) -> Result<(), HandleError> {
        let mut happenings = Vec::with_capacity(deliveries.len());
        for Delivery { record, span } in deliveries {
            happenings.extend(Happening::read(record)?.map(|happening| (happening, span)));
        }
        if happenings.is_empty() {
            return Ok(());
        }
        let orders = orders_of(conn, happenings.iter().map(|(happening, _)| happening.subject()))
            .await
            .map_err(store_fault)?;
        let ids: Vec<Uuid> = orders.values().copied().collect();
        let mut changes = Changes::lock(conn, &self.app, &ids).await.map_err(fault)?;
        for (happening, span) in happenings {
            let order_id = *orders
                .get(&happening.subject())
                .ok_or_else(|| HandleError::unappliable("what it is about is not known"))?;
            span.in_scope(|| changes.change(order_id, |work| happening.happen(work)))
                .map_err(fault)?;
        }
        changes.write(conn).await.map_err(fault)
    }
}

/// The order of each subject that is known.
async fn orders_of(
    conn: &mut PgConnection,
    subjects: impl Iterator<Item = Subject>,
) -> Result<HashMap<Subject, Uuid>, StoreError> {
    let (mut orders, mut lines, mut parcels) = (HashMap::new(), Vec::new(), Vec::new());
    for subject in subjects {
        match subject {
            Subject::Order(id) => {
                orders.insert(subject, id);
            }
            Subject::Line(id) => lines.push(id),
            Subject::Parcel(id) => parcels.push(id),
        }
    }
    if !lines.is_empty() {
        let found = orders::orders_of_lines(conn, &lines).await?;
        orders.extend(
            found
                .into_iter()
                .map(|(line, order)| (Subject::Line(line), order)),
        );
    }
    if !parcels.is_empty() {
        let found = orders::orders_of_parcels(conn, &parcels).await?;
        orders.extend(
            found
                .into_iter()
                .map(|(parcel, order)| (Subject::Parcel(parcel), order)),
        );
    }
    Ok(orders)
}

fn store_fault(error: StoreError) -> HandleError {
    match error {
        StoreError::Database(error) => error.into(),
        error => HandleError::unappliable(error),
    }
}

fn fault(error: AppError) -> HandleError {
    match error {
        AppError::Store(error) => store_fault(error),
        AppError::Outbox(wathiq_outbox::OutboxError::Database(error)) => error.into(),
        error => HandleError::unappliable(error),
    }
}
