//! What other services tell, and the messages that follow from it.

mod orders;

use prost::{Message as _, Name};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;
use wathiq_outbox::{HandleError, Handler, OutboxError, Record};
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::app::queue_message::{self, Cause, QueueError};
use crate::domain::message::Channel;
use crate::domain::template::Template;
use crate::store::StoreError;

/// Consumer group, and the consumer's name in the inbox.
pub const CONSUMER: &str = "notification.events";

/// The topics with events that people are told about.
pub const TOPICS: &[&str] = &[
    "wathiq.identity.delivery.v1",
    "wathiq.signature.legalisation.v1",
    "wathiq.civil-registry-order.order.v1",
    "wathiq.civil-registry-order.office.v1",
    "wathiq.postal-shipping.range.v1",
];

/// Queues the messages that an event asks for.
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
        let Some(wanted) = wanted(record)? else {
            return Ok(());
        };
        let cause = Cause {
            event_id: record.event_id,
            aggregate_id: record.aggregate_id,
            about: &wanted.about,
            happened_at: record.time,
        };
        if let Some(warning) = wanted.warning
            && queue_message::queue_once(conn, &self.ambient, cause, warning, Channel::Email).await?
        {
            return Ok(());
        }
        if let Some(template) = wanted.template {
            for channel in wanted.channels {
                queue_message::queue(conn, &self.ambient, cause, template, *channel).await?;
            }
        }
        Ok(())
    }
}

/// The messages that a record asks for.
struct Wanted {
    /// Goes by mail in place of the rest, unless it is queued already about the same parts of the same aggregate.
    warning: Option<Template>,
    template: Option<Template>,
    channels: &'static [Channel],
    /// Parts of the aggregate that it is about.
    about: Vec<Uuid>,
}

const MAIL: &[Channel] = &[Channel::Email];

impl Wanted {
    fn mail(template: Template, about: Vec<Uuid>) -> Self {
        Self {
            warning: None,
            template: Some(template),
            channels: MAIL,
            about,
        }
    }
}

/// What is to be sent about a record, if anything: at most one message on each channel. Text messages carry codes and the few steps
/// of an order that cannot wait.
fn wanted(record: &Record) -> Result<Option<Wanted>, HandleError> {
    let template = match record.event_type.as_str() {
        name if name == identity::DeliveryRequested::full_name() => {
            return delivery(&record.payload).map(Some);
        }
        name if name == signature::LegalisationRequestSubmitted::full_name() => Template::Submitted,
        name if name == signature::PaymentAwaited::full_name() => Template::PaymentAwaited,
        name if name == signature::LegalisationRequestRefused::full_name() => Template::Refused,
        name if name == signature::LegalisationDelivered::full_name() => Template::Delivered,
        name if name == signature::LegalisationRequestCancelled::full_name() => Template::Cancelled,
        name if name == signature::LegalisationRequestExpired::full_name() => Template::Expired,
        name if name == postal::NumberRangeRunsLow::full_name() => Template::NumbersRunLow,
        name => {
            return match name
                .strip_prefix(orders::PACKAGE)
                .and_then(|name| name.strip_prefix('.'))
            {
                Some(name) => orders::wanted(name, &record.payload),
                None => Ok(None),
            };
        }
    };
    Ok(Some(Wanted::mail(template, Vec::new())))
}

fn delivery(payload: &[u8]) -> Result<Wanted, HandleError> {
    let event = identity::DeliveryRequested::decode(payload).map_err(HandleError::unappliable)?;
    if Uuid::parse_str(&event.delivery_id).is_err() {
        return Err(HandleError::unappliable("the delivery id is not a UUID"));
    }
    let channels = match event.channel() {
        identity::ContactChannel::Email => MAIL,
        identity::ContactChannel::Phone => &[Channel::Text],
        identity::ContactChannel::Unspecified => {
            return Err(HandleError::unappliable("the channel of a delivery is not known"));
        }
    };
    Ok(Wanted {
        warning: None,
        template: Some(Template::Delivery),
        channels,
        about: Vec::new(),
    })
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
