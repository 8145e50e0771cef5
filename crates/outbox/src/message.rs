//! An event as a Kafka record: CloudEvents 1.0 in binary mode (Kafka protocol binding, 3.2), W3C trace
//! context in a header.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const SPECVERSION: &str = "1.0";
const CONTENT_TYPE: &str = "application/protobuf";

/// An event as a consumer receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub event_id: Uuid,
    /// Full protobuf name of the payload.
    pub event_type: String,
    pub aggregate_id: Uuid,
    /// Version of the aggregate; a jump is a gap.
    pub sequence: i64,
    pub topic: String,
    pub payload: Vec<u8>,
    pub traceparent: Option<String>,
    /// When the event happened.
    pub time: DateTime<Utc>,
}

/// A record that is not one of ours. It is parked under ids derived from its place, so that nothing is lost.
#[derive(Debug, thiserror::Error)]
#[error("record {partition}/{offset} of {topic} is malformed: {problem}")]
pub(crate) struct Malformed {
    topic: String,
    partition: i32,
    offset: i64,
    problem: &'static str,
    pub(crate) stand_in: Box<Record>,
}

/// What the headers of an outgoing record are made of.
pub(crate) struct Envelope<'a> {
    pub(crate) event_id: Uuid,
    pub(crate) event_type: &'a str,
    pub(crate) source: &'a str,
    pub(crate) aggregate_id: Uuid,
    pub(crate) sequence: i64,
    pub(crate) time: DateTime<Utc>,
    pub(crate) traceparent: Option<&'a str>,
}

pub(crate) fn headers(envelope: &Envelope<'_>) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(9);
    let mut add = |key: &str, value: &str| {
        headers = std::mem::take(&mut headers).insert(Header {
            key,
            value: Some(value),
        });
    };
    add("ce_specversion", SPECVERSION);
    add("ce_id", &envelope.event_id.to_string());
    add("ce_source", envelope.source);
    add("ce_type", envelope.event_type);
    add(
        "ce_time",
        &envelope.time.to_rfc3339_opts(SecondsFormat::Micros, true),
    );
    add("ce_subject", &envelope.aggregate_id.to_string());
    add("ce_sequence", &envelope.sequence.to_string());
    add("content-type", CONTENT_TYPE);
    if let Some(traceparent) = envelope.traceparent {
        add("traceparent", traceparent);
    }
    headers
}

pub(crate) fn parse(message: &impl Message) -> Result<Record, Malformed> {
    let values = text_headers(message);
    let payload = message.payload().unwrap_or_default().to_vec();
    attributes(&values)
        .map(|record| Record {
            topic: message.topic().to_owned(),
            payload,
            ..record
        })
        .map_err(|problem| Malformed {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            problem,
            stand_in: Box::new(stand_in(message)),
        })
}

/// The record without what stands outside its headers.
fn attributes(values: &HashMap<&str, &str>) -> Result<Record, &'static str> {
    let value = |name: &str, problem| values.get(name).copied().ok_or(problem);
    if value("ce_specversion", "no ce_specversion")? != SPECVERSION {
        return Err("ce_specversion is not 1.0");
    }
    if value("content-type", "no content-type")? != CONTENT_TYPE {
        return Err("content-type is not application/protobuf");
    }
    let uuid = |text: &str, problem| Uuid::parse_str(text).map_err(|_| problem);
    Ok(Record {
        event_id: uuid(value("ce_id", "no ce_id")?, "ce_id is not a UUID")?,
        event_type: value("ce_type", "no ce_type")?.to_owned(),
        aggregate_id: uuid(value("ce_subject", "no ce_subject")?, "ce_subject is not a UUID")?,
        sequence: value("ce_sequence", "no ce_sequence")?
            .parse()
            .map_err(|_| "ce_sequence is not a number")?,
        time: DateTime::parse_from_rfc3339(value("ce_time", "no ce_time")?)
            .map_err(|_| "ce_time is not an RFC 3339 instant")?
            .to_utc(),
        traceparent: values.get("traceparent").map(|&text| text.to_owned()),
        topic: String::new(),
        payload: Vec::new(),
    })
}

fn text_headers(message: &impl Message) -> HashMap<&str, &str> {
    let Some(headers) = message.headers() else {
        return HashMap::new();
    };
    (0..headers.count())
        .filter_map(|index| {
            let header = headers.try_get(index)?;
            Some((header.key, std::str::from_utf8(header.value?).ok()?))
        })
        .collect()
}

/// Stands for a malformed record in the `parked` table. Its empty event type tells that it cannot be handled.
fn stand_in(message: &impl Message) -> Record {
    let key = message.key().unwrap_or_default();
    let place = format!("{}/{}/{}", message.topic(), message.partition(), message.offset());
    Record {
        event_id: derived(place.as_bytes()),
        event_type: String::new(),
        aggregate_id: std::str::from_utf8(key)
            .ok()
            .and_then(|text| Uuid::parse_str(text).ok())
            .unwrap_or_else(|| derived(key)),
        sequence: 0,
        topic: message.topic().to_owned(),
        payload: message.payload().unwrap_or_default().to_vec(),
        traceparent: None,
        time: message
            .timestamp()
            .to_millis()
            .and_then(DateTime::from_timestamp_millis)
            .unwrap_or(DateTime::UNIX_EPOCH),
    }
}

/// A UUID of version 8 (RFC 9562, 5.8) from a SHA-256.
fn derived(bytes: &[u8]) -> Uuid {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

#[cfg(test)]
mod tests {
    use rdkafka::message::{OwnedMessage, Timestamp};

    use super::*;

    fn envelope() -> Envelope<'static> {
        Envelope {
            event_id: Uuid::from_u128(1),
            event_type: "wathiq.test.v1.Done",
            source: "wathiq/test",
            aggregate_id: Uuid::from_u128(2),
            sequence: 7,
            time: "2026-11-18T09:46:40.123456Z".parse().unwrap(),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        }
    }

    fn message(headers: OwnedHeaders) -> OwnedMessage {
        let key = Uuid::from_u128(2).to_string().into_bytes();
        OwnedMessage::new(
            Some(vec![9]),
            Some(key),
            "t".to_owned(),
            Timestamp::NotAvailable,
            3,
            4,
            Some(headers),
        )
    }

    #[test]
    fn headers_are_the_binding_of_cloudevents_and_parse_back() {
        let message = message(headers(&envelope()));
        let values = text_headers(&message);
        assert_eq!(values["ce_specversion"], "1.0");
        assert_eq!(values["ce_source"], "wathiq/test");
        assert_eq!(values["ce_time"], "2026-11-18T09:46:40.123456Z");
        assert_eq!(values["ce_sequence"], "7");
        let record = parse(&message).unwrap();
        assert_eq!(record.event_id, Uuid::from_u128(1));
        assert_eq!(record.event_type, "wathiq.test.v1.Done");
        assert_eq!(record.aggregate_id, Uuid::from_u128(2));
        assert_eq!(
            (record.sequence, record.topic.as_str(), record.payload.as_slice()),
            (7, "t", &[9][..])
        );
        assert_eq!(record.time, envelope().time);
        assert_eq!(record.traceparent.as_deref(), envelope().traceparent);
    }

    #[test]
    fn a_record_of_another_kind_keeps_its_key_and_place() {
        let malformed = parse(&message(OwnedHeaders::new())).unwrap_err();
        assert_eq!(
            malformed.to_string(),
            "record 3/4 of t is malformed: no ce_specversion"
        );
        assert_eq!(malformed.stand_in.aggregate_id, Uuid::from_u128(2));
        assert_eq!(malformed.stand_in.payload, [9]);
        let again = parse(&message(OwnedHeaders::new())).unwrap_err();
        assert_eq!(malformed.stand_in.event_id, again.stand_in.event_id);
    }

    #[test]
    fn each_attribute_is_required() {
        for name in [
            "ce_specversion",
            "ce_id",
            "ce_type",
            "ce_time",
            "ce_subject",
            "ce_sequence",
            "content-type",
        ] {
            let complete = message(headers(&envelope()));
            let mut values = text_headers(&complete);
            values.remove(name);
            let problem = attributes(&values).unwrap_err();
            assert_eq!(problem, format!("no {name}"));
        }
    }
}
