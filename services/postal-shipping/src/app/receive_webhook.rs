use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::take_events::take_events;
use super::{App, Error};
use crate::domain::carrier_event::{CarrierEvent, FIELDS, RawEvent};
use crate::domain::party::Fault;
use crate::domain::vocabulary::Source;
use crate::domain::webhook::Signed;
use crate::store::messages::{self, Claimed, MessageKey};

const LARGEST_BODY: usize = 1024 * 1024;
const MOST_EVENTS: usize = 500;
/// Enough to see what is wrong.
const MOST_FAULTS: usize = 100;

/// What a message was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub taken: u32,
    pub known_before: u32,
    pub unknown_tracking_ids: Vec<String>,
    /// The first faults.
    #[serde(default)]
    pub refused: Vec<RefusedEvent>,
    /// All faults.
    #[serde(default)]
    pub faults: u32,
}

/// An event that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedEvent {
    /// From 0, in the order of the message.
    pub index: u32,
    pub field: String,
    pub reason: String,
    pub description: String,
}

/// Takes a signed message of the carrier: its good events, and tells what is wrong with the others.
///
/// # Errors
/// [`Error::NotSigned`]; [`Error::Invalid`] when the message as a whole is none; [`Error::Taken`] when its id was another message's.
pub async fn receive_webhook(app: &App, message: Signed<'_>) -> Result<Answer, Error> {
    check_size("body", message.body, LARGEST_BODY)?;
    message.verify(&app.inbound_secrets, app.ambient.now())?;
    let key = key_of(Source::Webhook, &message);
    let mut transaction = app.pool.begin().await?;
    match messages::claim(&mut transaction, key, app.ambient.now()).await? {
        Claimed::New | Claimed::Begun => {}
        Claimed::Done(answer) => return Ok(serde_json::from_slice(&answer).unwrap_or_default()),
        Claimed::Reused => return Err(reused()),
    }
    let Parsed { events, mut refused } = parse(app, message.body)?;
    let taken = take_events(&mut transaction, app, Source::Webhook, events).await?;
    let faults = u32::try_from(refused.len()).unwrap_or(u32::MAX);
    refused.truncate(MOST_FAULTS);
    let answer = Answer {
        taken: taken.taken,
        known_before: taken.known_before,
        unknown_tracking_ids: taken.unknown.iter().map(ToString::to_string).collect(),
        refused,
        faults,
    };
    let stored = serde_json::to_vec(&answer).unwrap_or_default();
    messages::complete(&mut transaction, key, &stored).await?;
    transaction.commit().await?;
    Ok(answer)
}

pub(super) fn check_size(field: &str, body: &[u8], largest: usize) -> Result<(), Error> {
    if body.len() <= largest {
        return Ok(());
    }
    let text = format!("has at most {largest} bytes; send the events in several messages");
    Err(Error::field(field, "TOO_LARGE", text))
}

pub(super) fn key_of<'a>(source: Source, message: &Signed<'a>) -> MessageKey<'a> {
    MessageKey {
        source,
        id: message.id,
        body_sha256: Sha256::digest(message.body).into(),
    }
}

pub(super) fn reused() -> Error {
    Error::Taken {
        reason: "WEBHOOK_ID_REUSED",
        description: "this webhook-id was used for another message".to_owned(),
    }
}

struct Parsed {
    events: Vec<CarrierEvent>,
    refused: Vec<RefusedEvent>,
}

fn parse(app: &App, body: &[u8]) -> Result<Parsed, Error> {
    let values: Vec<Value> = serde_json::from_slice(body).map_err(|error| {
        let text = format!("is a JSON array of objects: {error}");
        Error::field("body", "MALFORMED", text)
    })?;
    if !(1..=MOST_EVENTS).contains(&values.len()) {
        let text = format!("has 1 to {MOST_EVENTS} events");
        return Err(Error::field("events", "OUT_OF_RANGE", text));
    }
    let mut parsed = Parsed {
        events: Vec::with_capacity(values.len()),
        refused: Vec::new(),
    };
    for (index, value) in (0..).zip(&values) {
        match event(app, value) {
            Ok(event) => parsed.events.push(event),
            Err(found) => parsed.refused.extend(found.into_iter().map(|fault| RefusedEvent {
                index,
                field: fault.field,
                reason: fault.reason.to_owned(),
                description: fault.description,
            })),
        }
    }
    Ok(parsed)
}

fn event(app: &App, value: &Value) -> Result<CarrierEvent, Vec<Fault>> {
    let Value::Object(object) = value else {
        return Err(vec![Fault::new("MALFORMED", "is a JSON object")]);
    };
    let mut raw = RawEvent::default();
    let mut faults = Vec::new();
    for name in FIELDS {
        match (object.get(name), raw.field(name)) {
            (Some(Value::String(text)), Some(field)) => text.clone_into(field),
            (None | Some(Value::Null), _) | (_, None) => {}
            (Some(_), Some(_)) => faults.push(Fault::new("MALFORMED", "is a text").within(name)),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    raw.check(app.ambient.now())
}
