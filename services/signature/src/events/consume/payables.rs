//! What payment tells of this service's payables.

use prost::{Message, Name};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;
use wathiq_outbox::{HandleError, Handler, Record};
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::app::AppError;
use crate::app::fees::told;
use crate::config::RequestSettings;
use crate::store::StoreError;
use crate::store::fee_payments::Told;

/// Consumer group, and the consumer's name in the inbox.
pub const CONSUMER: &str = "signature.fees";
/// The one topic it reads.
pub const TOPIC: &str = "wathiq.payment.payable.v1";
/// Whose payables are ours.
const OWNER: &str = "signature";

/// Applies payment's events.
#[derive(Debug, Clone)]
pub struct Payables {
    ambient: Ambient,
    settings: RequestSettings,
}

impl Payables {
    pub fn new(ambient: Ambient, settings: RequestSettings) -> Self {
        Self { ambient, settings }
    }
}

/// What an event says of one of our payables.
enum Said {
    Paid { request_id: Uuid, payable_id: Uuid },
    Ended { request_id: Uuid, told: Told },
}

impl Handler for Payables {
    async fn handle(&self, conn: &mut PgConnection, record: &Record) -> Result<(), HandleError> {
        let done = match said(record)? {
            None => return Ok(()),
            Some(Said::Paid {
                request_id,
                payable_id,
            }) => told::paid(conn, &self.ambient, &self.settings, request_id, payable_id).await,
            Some(Said::Ended { request_id, told }) => {
                told::ended(conn, request_id, told, self.ambient.now()).await
            }
        };
        done.map_err(unhandled)
    }
}

/// What passes is tried again; what is wrong for good is put aside.
fn unhandled(error: AppError) -> HandleError {
    match error {
        AppError::Store(StoreError::Database(error)) => error.into(),
        error @ (AppError::NotFound { .. } | AppError::Transition(_)) => HandleError::unappliable(error),
        error => HandleError::infrastructure(error),
    }
}

fn said(record: &Record) -> Result<Option<Said>, HandleError> {
    let payload = record.payload.as_slice();
    let name = record.event_type.as_str();
    if name == pb::PayablePaid::full_name() {
        let event = pb::PayablePaid::decode(payload).map_err(HandleError::unappliable)?;
        if event.owner != OWNER {
            return Ok(None);
        }
        return Ok(Some(Said::Paid {
            request_id: id(&event.owner_reference)?,
            payable_id: id(&event.payable_id)?,
        }));
    }
    let (owner, reference, told) = if name == pb::PayableCancelled::full_name() {
        let event = pb::PayableCancelled::decode(payload).map_err(HandleError::unappliable)?;
        (event.owner, event.owner_reference, Told::Closed)
    } else if name == pb::PayableExpired::full_name() {
        let event = pb::PayableExpired::decode(payload).map_err(HandleError::unappliable)?;
        (event.owner, event.owner_reference, Told::Closed)
    } else if name == pb::RefundCompleted::full_name() {
        let event = pb::RefundCompleted::decode(payload).map_err(HandleError::unappliable)?;
        (event.owner, event.owner_reference, Told::Refunded)
    } else if name == pb::RefundFailed::full_name() {
        let event = pb::RefundFailed::decode(payload).map_err(HandleError::unappliable)?;
        (event.owner, event.owner_reference, Told::RefundFailed)
    } else {
        return Ok(None);
    };
    if owner != OWNER {
        return Ok(None);
    }
    let request_id = id(&reference)?;
    Ok(Some(Said::Ended { request_id, told }))
}

fn id(text: &str) -> Result<Uuid, HandleError> {
    text.parse()
        .map_err(|_| HandleError::unappliable("an id of payment's event is no UUID"))
}
