//! What other services tell, and the messages that follow from it.

use prost::{Message as _, Name};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;
use wathiq_outbox::{HandleError, Handler, OutboxError, Record};
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::app::queue_message::{self, Cause, QueueError};
use crate::domain::message::Channel;
use crate::domain::template::Template;
use crate::store::StoreError;

/// Consumer group, and the consumer's name in the inbox.
pub const CONSUMER: &str = "notification.events";

/// The topics with events that people are told about.
pub const TOPICS: &[&str] = &["wathiq.identity.delivery.v1", "wathiq.signature.legalisation.v1"];

/// Queues a message for every event that asks for one.
pub struct Consume {
    ambient: Ambient,
}

impl Consume {
    pub fn new(ambient: Ambient) -> Self {
        Self { ambient }
    }
}

impl Handler for Consume {
    async fn handle(&self, conn: &mut PgConnection, record: &Record) -> Result<(), HandleError> {
        let Some((template, channel)) = wanted(record)? else {
            return Ok(());
        };
        let cause = Cause {
            event_id: record.event_id,
            aggregate_id: record.aggregate_id,
            happened_at: record.time,
        };
        queue_message::queue(conn, &self.ambient, cause, template, channel).await?;
        Ok(())
    }
}

/// What is to be sent about a record, if anything. Mail about a request goes out once per event, and by e-mail: a text message
/// carries nothing but codes.
fn wanted(record: &Record) -> Result<Option<(Template, Channel)>, HandleError> {
    let template = match record.event_type.as_str() {
        name if name == identity::DeliveryRequested::full_name() => {
            return delivery(&record.payload).map(|channel| Some((Template::Delivery, channel)));
        }
        name if name == signature::LegalisationRequestSubmitted::full_name() => Template::Submitted,
        name if name == signature::PaymentAwaited::full_name() => Template::PaymentAwaited,
        name if name == signature::LegalisationRequestRefused::full_name() => Template::Refused,
        name if name == signature::LegalisationDelivered::full_name() => Template::Delivered,
        name if name == signature::LegalisationRequestCancelled::full_name() => Template::Cancelled,
        name if name == signature::LegalisationRequestExpired::full_name() => Template::Expired,
        _ => return Ok(None),
    };
    Ok(Some((template, Channel::Email)))
}

fn delivery(payload: &[u8]) -> Result<Channel, HandleError> {
    let event = identity::DeliveryRequested::decode(payload).map_err(HandleError::unappliable)?;
    if Uuid::parse_str(&event.delivery_id).is_err() {
        return Err(HandleError::unappliable("the delivery id is not a UUID"));
    }
    match event.channel() {
        identity::ContactChannel::Email => Ok(Channel::Email),
        identity::ContactChannel::Phone => Ok(Channel::Text),
        identity::ContactChannel::Unspecified => {
            Err(HandleError::unappliable("the channel of a delivery is not known"))
        }
    }
}

impl From<QueueError> for HandleError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Store(StoreError::Database(error))
            | QueueError::Outbox(OutboxError::Database(error)) => Self::from(error),
            error => Self::unappliable(error),
        }
    }
}
