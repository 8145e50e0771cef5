//! States of a message as events. Ids, codes and counts only: no address, no text.

use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::notification::v1 as pb;

use crate::domain::message::{Channel, Message, State};

/// Topic of everything that happens to messages.
pub const TOPIC: &str = "wathiq.notification.message.v1";

/// A message has two versions: queued, and ended.
const QUEUED: i64 = 1;
const ENDED: i64 = 2;

/// The event that tells of a new message.
pub fn queued(message: &Message) -> NewEvent {
    let channel = match message.channel {
        Channel::Email => pb::MessageChannel::Email,
        Channel::Text => pb::MessageChannel::Text,
    };
    let event = pb::MessageQueued {
        message_id: message.id.to_string(),
        cause_event_id: message.cause_event_id.to_string(),
        template: message.template.as_str().to_owned(),
        channel: channel.into(),
    };
    NewEvent::of(TOPIC, message.id, QUEUED, &event)
}

/// The event that tells of a message's end; none while it is queued.
pub fn ended(message: &Message) -> Option<NewEvent> {
    let message_id = message.id.to_string();
    let event = match &message.state {
        State::Queued { .. } => return None,
        State::Sent { .. } => {
            let event = pb::MessageSent {
                message_id,
                attempts: message.attempts,
            };
            NewEvent::of(TOPIC, message.id, ENDED, &event)
        }
        State::Failed { code, .. } => {
            let event = pb::MessageFailed {
                message_id,
                failure_code: code.clone(),
            };
            NewEvent::of(TOPIC, message.id, ENDED, &event)
        }
        State::Dropped { reason, .. } => {
            let event = pb::MessageDropped {
                message_id,
                reason: reason.clone(),
            };
            NewEvent::of(TOPIC, message.id, ENDED, &event)
        }
    };
    Some(event)
}
