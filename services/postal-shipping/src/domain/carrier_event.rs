//! What the carrier says of an item at a time, whichever way it comes: a message, a file, or a person who types it.

use chrono::{DateTime, NaiveDate, SubsecRound, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::party::Fault;
use super::text::printable;
use super::tracking_id::{TrackingId, TrackingIdError};
use super::vocabulary::DocumentKind;

const LONGEST_PLACE: usize = 80;
const LONGEST_NAME: usize = 120;
const LONGEST_CODE: usize = 32;
const LONGEST_KIND: usize = 40;
/// How far the carrier's clock may be ahead of ours, or behind it.
pub const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(15);
/// Before any item of ours existed.
const EARLIEST: DateTime<Utc> = DateTime::from_timestamp_secs(1_577_836_800).expect("2020-01-01 is a date");

/// A checked event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierEvent {
    pub tracking_id: TrackingId,
    /// The carrier's, known or not.
    pub code: String,
    /// In whole microseconds.
    pub event_time: DateTime<Utc>,
    pub place: Option<String>,
    pub reason_code: Option<String>,
    pub action_code: Option<String>,
    pub held_until: Option<NaiveDate>,
    pub recipient_name: Option<String>,
    pub document_kind: Option<DocumentKind>,
    /// The kind as it was written, where it is none of ours: a delivery against it is one without a document.
    pub document_kind_unknown: Option<String>,
    pub document_last_four: Option<String>,
}

/// The same as texts; an empty one is absent.
#[derive(Debug, Clone, Default)]
pub struct RawEvent {
    pub tracking_id: String,
    pub code: String,
    pub event_time: String,
    pub place: String,
    pub reason_code: String,
    pub action_code: String,
    pub held_until: String,
    pub recipient_name: String,
    pub document_kind: String,
    pub document_last_four: String,
}

/// Names of the fields, in the order of the carrier's files.
pub const FIELDS: [&str; 10] = [
    "tracking_id",
    "code",
    "event_time",
    "place",
    "reason_code",
    "action_code",
    "held_until",
    "recipient_name",
    "document_kind",
    "document_last_four",
];

impl RawEvent {
    /// The field of a name; none for a name that is none of [`FIELDS`].
    pub fn field(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "tracking_id" => &mut self.tracking_id,
            "code" => &mut self.code,
            "event_time" => &mut self.event_time,
            "place" => &mut self.place,
            "reason_code" => &mut self.reason_code,
            "action_code" => &mut self.action_code,
            "held_until" => &mut self.held_until,
            "recipient_name" => &mut self.recipient_name,
            "document_kind" => &mut self.document_kind,
            "document_last_four" => &mut self.document_last_four,
            _ => return None,
        })
    }

    /// Checks every field.
    ///
    /// # Errors
    /// All faults.
    pub fn check(&self, now: DateTime<Utc>) -> Result<CarrierEvent, Vec<Fault>> {
        let mut faults = Faults::default();
        let tracking_id = faults.take("tracking_id", tracking_id(&self.tracking_id));
        let code = faults.take("code", code(&self.code));
        let event_time = faults.take("event_time", event_time(&self.event_time, now));
        let place = faults.take("place", printable(&self.place, LONGEST_PLACE));
        let reason_code = faults.take("reason_code", optional_code(&self.reason_code));
        let action_code = faults.take("action_code", optional_code(&self.action_code));
        let held_until = faults.take("held_until", held_until(&self.held_until));
        let recipient_name = faults.take("recipient_name", printable(&self.recipient_name, LONGEST_NAME));
        let kind = faults.take("document_kind", document_kind(&self.document_kind));
        let last_four = faults.take("document_last_four", last_four(&self.document_last_four));
        let event = || {
            Some(CarrierEvent {
                tracking_id: tracking_id?,
                code: code?,
                event_time: event_time?,
                place: place?,
                reason_code: reason_code?,
                action_code: action_code?,
                held_until: held_until?,
                recipient_name: recipient_name?,
                document_kind: kind.as_ref()?.0,
                document_kind_unknown: kind?.1,
                document_last_four: last_four?,
            })
        };
        event().ok_or(faults.0)
    }
}

impl CarrierEvent {
    /// The same for the same event however it came: SHA-256 over its fields, each behind its length.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(text);
        };
        field(&self.tracking_id.to_string());
        field(&self.code);
        field(&self.event_time.timestamp_micros().to_string());
        for optional in [
            &self.place,
            &self.reason_code,
            &self.action_code,
            &self.recipient_name,
            &self.document_last_four,
        ] {
            field(optional.as_deref().unwrap_or_default());
        }
        field(&self.held_until.map(|day| day.to_string()).unwrap_or_default());
        match self.document_kind {
            Some(kind) => field(kind.as_str()),
            None => field(self.document_kind_unknown.as_deref().unwrap_or_default()),
        }
        hash.finalize().into()
    }
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn take<T>(&mut self, field: &str, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.0.push(fault.within(field))).ok()
    }
}

fn tracking_id(text: &str) -> Result<TrackingId, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new("REQUIRED", TrackingIdError::Form.to_string()));
    }
    TrackingId::parse(text).map_err(|error| Fault::new(error.reason(), error.to_string()))
}

/// A code of the carrier, known or not: its own spelling stays.
fn code(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Fault::new("REQUIRED", "a code is required, such as EMI"));
    }
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.len() <= LONGEST_CODE && text.bytes().all(letter) {
        return Ok(text.to_owned());
    }
    let text = format!("has 1 to {LONGEST_CODE} letters, digits, hyphens, underscores and full stops");
    Err(Fault::new("MALFORMED", text))
}

fn optional_code(text: &str) -> Result<Option<String>, Fault> {
    if text.trim().is_empty() {
        Ok(None)
    } else {
        code(text).map(Some)
    }
}

fn event_time(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Fault::new("REQUIRED", "the time of the event is required"));
    }
    let at = DateTime::parse_from_rfc3339(text)
        .map_err(|_| {
            Fault::new(
                "MALFORMED",
                "is an instant with its offset, such as 2026-11-24T10:15:00+01:00",
            )
        })?
        .to_utc()
        .trunc_subsecs(6);
    if at > now + CLOCK_SKEW {
        return Err(Fault::new("IN_FUTURE", "has not happened yet"));
    }
    if at < EARLIEST {
        return Err(Fault::new("OUT_OF_RANGE", "is before any item of ours existed"));
    }
    Ok(at)
}

fn held_until(text: &str) -> Result<Option<NaiveDate>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| Fault::new("MALFORMED", "is a date, such as 2026-12-09"))
}

/// A kind that is one of ours, or as it was written.
fn document_kind(text: &str) -> Result<(Option<DocumentKind>, Option<String>), Fault> {
    let Some(text) = printable(text, LONGEST_KIND)? else {
        return Ok((None, None));
    };
    let kind = match text.to_ascii_uppercase().as_str() {
        // The electronic card is the same document.
        "CNIE" => Some(DocumentKind::Cin),
        word => DocumentKind::parse(word),
    };
    Ok(match kind {
        Some(kind) => (Some(kind), None),
        None => (None, Some(text)),
    })
}

fn last_four(text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim().to_ascii_uppercase();
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() == 4 && text.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
        return Ok(Some(text));
    }
    Err(Fault::new(
        "LENGTH",
        "are the last four letters or digits of the document's number",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn delivery() -> RawEvent {
        RawEvent {
            tracking_id: "rr 123 456 785 ma".to_owned(),
            code: "EMI".to_owned(),
            event_time: "2026-11-24T10:15:00+01:00".to_owned(),
            recipient_name: " Mohamed Alaoui ".to_owned(),
            document_kind: "CIN".to_owned(),
            document_last_four: "34b6".to_owned(),
            ..RawEvent::default()
        }
    }

    fn reasons(raw: &RawEvent) -> Vec<(String, &'static str)> {
        let faults = raw.check(now()).unwrap_err();
        faults
            .into_iter()
            .map(|fault| (fault.field, fault.reason))
            .collect()
    }

    #[test]
    fn an_event_is_checked_and_known_again() {
        let event = delivery().check(now()).unwrap();
        assert_eq!(event.event_time.to_rfc3339(), "2026-11-24T09:15:00+00:00");
        assert_eq!(event.document_last_four.as_deref(), Some("34B6"));
        let utc = RawEvent {
            event_time: "2026-11-24T09:15:00Z".to_owned(),
            ..delivery()
        };
        assert_eq!(utc.check(now()).unwrap().digest(), event.digest());
        for (field, other) in [
            ("code", "EMH"),
            ("place", "X"),
            ("reason_code", "X"),
            ("held_until", "2026-12-09"),
            ("document_kind", "PASSPORT"),
        ] {
            let mut changed = delivery();
            *changed.field(field).unwrap() = other.to_owned();
            assert_ne!(changed.check(now()).unwrap().digest(), event.digest(), "{field}");
        }
    }

    #[test]
    fn codes_and_kinds_that_are_not_known_are_kept_as_they_came() {
        let with = |field: &str, text: &str| {
            let mut raw = delivery();
            *raw.field(field).unwrap() = text.to_owned();
            raw.check(now()).unwrap()
        };
        assert_eq!(with("code", "liv").code, "liv");
        assert_eq!(
            with("action_code", "retour-1").action_code.as_deref(),
            Some("retour-1")
        );
        for known in ["CNIE", "cnie", "cin"] {
            let event = with("document_kind", known);
            assert_eq!(
                (event.document_kind, event.document_kind_unknown),
                (Some(DocumentKind::Cin), None)
            );
        }
        let event = with("document_kind", "Permis");
        assert_eq!(
            (event.document_kind, event.document_kind_unknown.as_deref()),
            (None, Some("Permis"))
        );
        assert_ne!(event.digest(), with("document_kind", "Livret").digest());
    }

    #[test]
    fn every_fault_is_named() {
        let required = [
            ("tracking_id", "REQUIRED"),
            ("code", "REQUIRED"),
            ("event_time", "REQUIRED"),
        ];
        let found = reasons(&RawEvent::default());
        assert_eq!(
            found
                .iter()
                .map(|(field, reason)| (field.as_str(), *reason))
                .collect::<Vec<_>>(),
            required
        );
        let mut wrong = RawEvent::default();
        let values = [
            ("tracking_id", "RR123456784MA", "CHECK_DIGIT_WRONG"),
            ("code", "E M I", "MALFORMED"),
            ("event_time", "2026-11-24", "MALFORMED"),
            ("place", "\u{0}", "UNPRINTABLE"),
            ("reason_code", "a b", "MALFORMED"),
            ("action_code", "A_CODE_THAT_IS_FAR_TOO_LONG_TO_BE", "MALFORMED"),
            ("held_until", "9.12.2026", "MALFORMED"),
            ("recipient_name", "a\u{202e}", "UNPRINTABLE"),
            ("document_kind", "I\u{202e}D", "UNPRINTABLE"),
            ("document_last_four", "123", "LENGTH"),
        ];
        for (field, value, _) in values {
            *wrong.field(field).unwrap() = value.to_owned();
        }
        let expected: Vec<_> = values
            .iter()
            .map(|(field, _, reason)| ((*field).to_owned(), *reason))
            .collect();
        assert_eq!(reasons(&wrong), expected);
        assert_eq!(values.map(|(field, ..)| field), FIELDS);
    }

    #[test]
    fn what_has_not_happened_is_no_event() {
        let at = |text: &str| {
            RawEvent {
                event_time: text.to_owned(),
                ..delivery()
            }
            .check(now())
            .map_err(|faults| faults[0].reason)
        };
        assert!(at("2026-11-24T12:15:00Z").is_ok());
        assert_eq!(at("2026-11-24T12:15:01Z").unwrap_err(), "IN_FUTURE");
        assert_eq!(at("1999-01-01T00:00:00Z").unwrap_err(), "OUT_OF_RANGE");
    }
}
