//! What payment, postal-shipping and signature tell. Events may come twice, late, and before the answer to the call that caused them.

use std::sync::Arc;

use chrono::NaiveDate;
use prost::{Message as _, Name};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_outbox::{HandleError, Handler, Record};
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::app::change::change;
use crate::app::{App, AppError};
use crate::clients::postal_shipping::state_name;
use crate::domain::order::parcel::Tracking;
use crate::domain::order::work::{Work, WorkError};
use crate::store::StoreError;
use crate::store::orders;

/// Consumer group, and the consumer's name in the inbox.
pub const CONSUMER: &str = "civil-registry-order.events";
/// The topics with events that move orders.
pub const TOPICS: &[&str] = &[
    "wathiq.payment.payable.v1",
    "wathiq.postal-shipping.shipment.v1",
    "wathiq.signature.issued-document.v1",
];
/// This service, as owner of payables, shipments and documents.
const OWNER: &str = "civil-registry-order";

/// Applies the events of others.
pub struct Consume {
    app: Arc<App>,
}

impl Consume {
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    async fn on_order(
        &self,
        conn: &mut PgConnection,
        order_id: Uuid,
        act: impl FnOnce(&mut Work<'_>) -> Result<(), WorkError> + Send,
    ) -> Result<(), HandleError> {
        change(conn, &self.app, order_id, act).await.map_err(fault)?;
        Ok(())
    }

    async fn on_line(
        &self,
        conn: &mut PgConnection,
        line_id: Uuid,
        act: impl FnOnce(&mut Work<'_>) -> Result<(), WorkError> + Send,
    ) -> Result<(), HandleError> {
        let found = orders::orders_of_lines(conn, &[line_id])
            .await
            .map_err(store_fault)?;
        let (_, order_id) = found
            .first()
            .ok_or_else(|| HandleError::unappliable("the line is not known"))?;
        self.on_order(conn, *order_id, act).await
    }

    async fn on_parcel(
        &self,
        conn: &mut PgConnection,
        parcel_id: Uuid,
        act: impl FnOnce(&mut Work<'_>) -> Result<(), WorkError> + Send,
    ) -> Result<(), HandleError> {
        let found = orders::order_of_parcel(conn, parcel_id)
            .await
            .map_err(store_fault)?;
        let order_id = found.ok_or_else(|| HandleError::unappliable("the parcel is not known"))?;
        self.on_order(conn, order_id, act).await
    }

    async fn payable_paid(&self, conn: &mut PgConnection, payload: &[u8]) -> Result<(), HandleError> {
        let event = payment::PayablePaid::decode(payload).map_err(HandleError::unappliable)?;
        if event.owner != OWNER {
            return Ok(());
        }
        let payable_id = id(&event.payable_id)?;
        self.on_order(conn, id(&event.owner_reference)?, |work| work.paid(payable_id))
            .await
    }

    async fn refund(
        &self,
        conn: &mut PgConnection,
        owner: &str,
        line: &str,
        completed: Option<i64>,
    ) -> Result<(), HandleError> {
        if owner != OWNER {
            return Ok(());
        }
        let line_id = id(line)?;
        self.on_line(conn, line_id, |work| match completed {
            Some(centimes) => work.refunded(line_id, centimes),
            None => work.refund_failed(line_id),
        })
        .await
    }

    async fn tracked(
        &self,
        conn: &mut PgConnection,
        parcel: &str,
        tracking: Tracking,
    ) -> Result<(), HandleError> {
        let parcel_id = id(parcel)?;
        self.on_parcel(conn, parcel_id, |work| work.tracked(parcel_id, &tracking))
            .await
    }

    async fn of_payment(&self, conn: &mut PgConnection, record: &Record) -> Result<(), HandleError> {
        let payload = record.payload.as_slice();
        match record.event_type.as_str() {
            name if name == payment::PayablePaid::full_name() => self.payable_paid(conn, payload).await,
            name if name == payment::PayableExpired::full_name() => {
                let event = payment::PayableExpired::decode(payload).map_err(HandleError::unappliable)?;
                self.not_paid(conn, &event.owner, &event.owner_reference).await
            }
            name if name == payment::PayableCancelled::full_name() => {
                let event = payment::PayableCancelled::decode(payload).map_err(HandleError::unappliable)?;
                self.not_paid(conn, &event.owner, &event.owner_reference).await
            }
            name if name == payment::RefundCompleted::full_name() => {
                let event = payment::RefundCompleted::decode(payload).map_err(HandleError::unappliable)?;
                let centimes = Some(event.amount_centimes);
                self.refund(conn, &event.owner, &event.refund_reference, centimes)
                    .await
            }
            name if name == payment::RefundFailed::full_name() => {
                let event = payment::RefundFailed::decode(payload).map_err(HandleError::unappliable)?;
                self.refund(conn, &event.owner, &event.refund_reference, None)
                    .await
            }
            _ => Ok(()),
        }
    }

    async fn of_signature(&self, conn: &mut PgConnection, record: &Record) -> Result<(), HandleError> {
        let payload = record.payload.as_slice();
        match record.event_type.as_str() {
            name if name == signature::IssuedDocumentSealed::full_name() => {
                let event =
                    signature::IssuedDocumentSealed::decode(payload).map_err(HandleError::unappliable)?;
                if event.owner != OWNER {
                    return Ok(());
                }
                let (line_id, document_id) = (id(&event.owner_reference)?, id(&event.issued_document_id)?);
                self.on_line(conn, line_id, |work| work.sealed(line_id, document_id))
                    .await
            }
            name if name == signature::IssuedDocumentFailed::full_name() => {
                let event =
                    signature::IssuedDocumentFailed::decode(payload).map_err(HandleError::unappliable)?;
                if event.owner != OWNER {
                    return Ok(());
                }
                let line_id = id(&event.owner_reference)?;
                self.on_line(conn, line_id, |work| {
                    work.deposit_failed(line_id, &event.reason_code)
                })
                .await
            }
            _ => Ok(()),
        }
    }

    async fn not_paid(
        &self,
        conn: &mut PgConnection,
        owner: &str,
        reference: &str,
    ) -> Result<(), HandleError> {
        if owner != OWNER {
            return Ok(());
        }
        self.on_order(conn, id(reference)?, |work| {
            work.not_paid()?;
            Ok(())
        })
        .await
    }

    async fn of_post(&self, conn: &mut PgConnection, record: &Record) -> Result<(), HandleError> {
        let payload = record.payload.as_slice();
        match record.event_type.as_str() {
            name if name == postal::ShipmentCreated::full_name() => {
                let event = postal::ShipmentCreated::decode(payload).map_err(HandleError::unappliable)?;
                if event.owner != OWNER {
                    return Ok(());
                }
                let (parcel_id, shipment_id) = (id(&event.owner_reference)?, id(&event.shipment_id)?);
                let number = event.tracking_id.map(|id| id.value).unwrap_or_default();
                self.on_parcel(conn, parcel_id, |work| {
                    work.shipment_created(parcel_id, shipment_id, &number);
                    Ok(())
                })
                .await
            }
            name if name == postal::ShipmentHandedOver::full_name() => {
                let event = postal::ShipmentHandedOver::decode(payload).map_err(HandleError::unappliable)?;
                if event.owner != OWNER {
                    return Ok(());
                }
                let (parcel_id, list) = (id(&event.owner_reference)?, id(&event.deposit_list_id)?);
                self.on_parcel(conn, parcel_id, |work| work.handed_over(parcel_id, Some(list)))
                    .await
            }
            name if name == postal::ShipmentTracked::full_name() => {
                let event = postal::ShipmentTracked::decode(payload).map_err(HandleError::unappliable)?;
                if event.owner != OWNER {
                    return Ok(());
                }
                let tracking = Tracking {
                    sequence: record.sequence,
                    state: state_name(event.state()),
                    attempts: Some(event.attempts),
                    held_until: date(event.held_until)?,
                    exception_code: event.exception_code.clone(),
                    at: record.time,
                };
                self.tracked(conn, &event.owner_reference, tracking).await
            }
            name if name == postal::ShipmentStateChanged::full_name() => {
                let event =
                    postal::ShipmentStateChanged::decode(payload).map_err(HandleError::unappliable)?;
                if event.owner != OWNER {
                    return Ok(());
                }
                let tracking = Tracking {
                    sequence: record.sequence,
                    state: state_name(event.state()),
                    attempts: None,
                    held_until: None,
                    exception_code: event.exception_code.clone(),
                    at: record.time,
                };
                self.tracked(conn, &event.owner_reference, tracking).await
            }
            _ => Ok(()),
        }
    }
}

impl Handler for Consume {
    async fn handle(&self, conn: &mut PgConnection, record: &Record) -> Result<(), HandleError> {
        if record.topic == TOPICS[0] {
            self.of_payment(conn, record).await
        } else if record.topic == TOPICS[1] {
            self.of_post(conn, record).await
        } else {
            self.of_signature(conn, record).await
        }
    }
}

fn id(text: &str) -> Result<Uuid, HandleError> {
    Uuid::try_parse(text).map_err(HandleError::unappliable)
}

fn date(date: Option<Date>) -> Result<Option<NaiveDate>, HandleError> {
    let Some(date) = date else { return Ok(None) };
    let read = u32::try_from(date.month)
        .ok()
        .zip(u32::try_from(date.day).ok())
        .and_then(|(month, day)| NaiveDate::from_ymd_opt(date.year, month, day));
    read.map(Some).ok_or_else(|| HandleError::unappliable("no date"))
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
