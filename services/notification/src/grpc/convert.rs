//! Domain values as protobuf messages, and requests as domain values.

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;
use wathiq_chassis::FieldViolation;
use wathiq_proto::wathiq::notification::v1 as pb;

use crate::app::list_messages::Page;
use crate::domain::message::{Channel, Message, State};

const DEFAULT_SIZE: u16 = 20;
const LARGEST_SIZE: u16 = 100;

/// Reads a request for a page, or says all that is wrong with it.
pub(super) fn page(request: &pb::ListMessagesRequest) -> Result<Page, Vec<FieldViolation>> {
    let aggregate_id = aggregate_id(&request.aggregate_id);
    let before = before(&request.page_token);
    let size = size(request.page_size);
    match (aggregate_id, before, size) {
        (Ok(aggregate_id), Ok(before), Ok(size)) => Ok(Page {
            aggregate_id,
            before,
            size,
        }),
        (aggregate_id, before, size) => Err([aggregate_id.err(), before.err(), size.err()]
            .into_iter()
            .flatten()
            .collect()),
    }
}

fn aggregate_id(text: &str) -> Result<Uuid, FieldViolation> {
    let reason = if text.is_empty() { "REQUIRED" } else { "MALFORMED" };
    Uuid::parse_str(text).map_err(|_| FieldViolation::new("aggregate_id", reason, "must be a UUID"))
}

fn before(token: &str) -> Result<Option<Uuid>, FieldViolation> {
    if token.is_empty() {
        return Ok(None);
    }
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok();
    let id = bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok());
    id.map(Some)
        .ok_or_else(|| FieldViolation::new("page_token", "MALFORMED", "must be a token of an earlier page"))
}

fn size(size: i32) -> Result<u16, FieldViolation> {
    match u16::try_from(size) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(LARGEST_SIZE)),
        Err(_) if size > 0 => Ok(LARGEST_SIZE),
        Err(_) => Err(FieldViolation::new(
            "page_size",
            "OUT_OF_RANGE",
            "must not be negative",
        )),
    }
}

/// The token that continues after this message.
pub(super) fn token(message: &Message) -> String {
    BASE64URL_NOPAD.encode(message.id.as_bytes())
}

pub(super) fn message(message: &Message) -> pb::Message {
    let channel = match message.channel {
        Channel::Email => pb::MessageChannel::Email,
        Channel::Text => pb::MessageChannel::Text,
    };
    let state = match &message.state {
        State::Queued { .. } => pb::MessageState::Queued,
        State::Sent { .. } => pb::MessageState::Sent,
        State::Failed { .. } => pb::MessageState::Failed,
        State::Dropped { .. } => pb::MessageState::Dropped,
    };
    let send_time = match &message.state {
        State::Sent { at } => Some(timestamp(*at)),
        _ => None,
    };
    pb::Message {
        message_id: message.id.to_string(),
        aggregate_id: message.aggregate_id.to_string(),
        template: message.template.as_str().to_owned(),
        channel: channel.into(),
        state: state.into(),
        attempts: message.attempts,
        create_time: Some(timestamp(message.created_at)),
        send_time,
        failure_code: message.state.failure_code().unwrap_or_default().to_owned(),
    }
}

fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    // Below a second, so that it always fits.
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default();
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_of_a_request_are_told_at_once() {
        let request = pb::ListMessagesRequest {
            aggregate_id: "x".into(),
            page_size: -1,
            page_token: "y".into(),
        };
        assert_eq!(page(&request).unwrap_err().len(), 3);
    }

    #[test]
    fn sizes_have_bounds() {
        assert_eq!(size(0).unwrap(), 20);
        assert_eq!(size(7).unwrap(), 7);
        assert_eq!(size(70_000).unwrap(), 100);
        assert!(size(-1).is_err());
    }
}
