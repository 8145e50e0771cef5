use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use wathiq_chassis::FieldViolation;

use super::error::violation;
use super::take_events::{Taken, take_events};
use super::{App, Error};
use crate::domain::carrier_event::{CarrierEvent, FIELDS, RawEvent};
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
}

impl From<Taken> for Answer {
    fn from(taken: Taken) -> Self {
        Self {
            taken: taken.taken,
            known_before: taken.known_before,
            unknown_tracking_ids: taken.unknown.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Takes a signed message of the carrier: all its events or none.
///
/// # Errors
/// [`Error::NotSigned`]; [`Error::Invalid`] names event and field; [`Error::Taken`] when its id was another message's.
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
    let events = parse(app, message.body)?;
    let answer = Answer::from(take_events(&mut transaction, app, Source::Webhook, events).await?);
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

fn parse(app: &App, body: &[u8]) -> Result<Vec<CarrierEvent>, Error> {
    let values: Vec<Value> = serde_json::from_slice(body).map_err(|error| {
        let text = format!("is a JSON array of objects: {error}");
        Error::field("body", "MALFORMED", text)
    })?;
    if !(1..=MOST_EVENTS).contains(&values.len()) {
        let text = format!("has 1 to {MOST_EVENTS} events");
        return Err(Error::field("events", "OUT_OF_RANGE", text));
    }
    let mut events = Vec::with_capacity(values.len());
    let mut violations = Vec::new();
    for (index, value) in values.iter().enumerate() {
        match event(app, value) {
            Ok(event) => events.push(event),
            Err(found) => {
                let scope = format!("events[{index}]");
                violations.extend(found.into_iter().map(|found| found.scope(&scope)));
            }
        }
    }
    violations.truncate(MOST_FAULTS);
    if violations.is_empty() {
        Ok(events)
    } else {
        Err(Error::Invalid(violations))
    }
}

fn event(app: &App, value: &Value) -> Result<CarrierEvent, Vec<FieldViolation>> {
    let Value::Object(object) = value else {
        return Err(vec![FieldViolation::new("", "MALFORMED", "is a JSON object")]);
    };
    let mut raw = RawEvent::default();
    let mut violations = Vec::new();
    for name in FIELDS {
        match (object.get(name), raw.field(name)) {
            (Some(Value::String(text)), Some(field)) => text.clone_into(field),
            (None | Some(Value::Null), _) | (_, None) => {}
            (Some(_), Some(_)) => violations.push(FieldViolation::new(name, "MALFORMED", "is a text")),
        }
    }
    if !violations.is_empty() {
        return Err(violations);
    }
    raw.check(app.ambient.now())
        .map_err(|faults| faults.into_iter().map(violation).collect())
}
