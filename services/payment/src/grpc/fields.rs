//! Reading the fields of a message: every fault is noted, so that all of them are answered at once.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wathiq_chassis::FieldViolation;

use crate::app::AppError;
use crate::domain::money;
use crate::domain::provider::Provider;

/// The faults found so far.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<FieldViolation>);

impl Fields {
    /// Notes a fault; gives nothing, so that it can stand where a value is expected.
    pub(super) fn fault<T>(
        &mut self,
        field: &str,
        reason: &'static str,
        description: impl Into<String>,
    ) -> Option<T> {
        self.0.push(FieldViolation::new(field, reason, description));
        None
    }

    /// The error with all faults.
    pub(super) fn error(self) -> AppError {
        AppError::Invalid(self.0)
    }

    /// Nothing was wrong.
    pub(super) fn check(self) -> Result<(), AppError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.error())
        }
    }

    /// A UUID.
    pub(super) fn id(&mut self, field: &str, text: &str) -> Option<Uuid> {
        if text.is_empty() {
            return self.fault(field, "REQUIRED", "must be a UUID");
        }
        match Uuid::try_parse(text) {
            Ok(id) => Some(id),
            Err(_) => self.fault(field, "MALFORMED", "must be a UUID"),
        }
    }

    /// Text for people: trimmed, printable, of a length in characters.
    pub(super) fn text(
        &mut self,
        field: &str,
        text: &str,
        length: std::ops::RangeInclusive<usize>,
    ) -> Option<String> {
        let text = text.trim();
        let count = text.chars().count();
        if count == 0 && *length.start() > 0 {
            return self.fault(field, "REQUIRED", "must not be empty");
        }
        if !length.contains(&count) {
            let description = format!("must have {} to {} characters", length.start(), length.end());
            return self.fault(field, "LENGTH", description);
        }
        if text.chars().any(is_unprintable) {
            return self.fault(
                field,
                "UNPRINTABLE",
                "must not have control or text-direction characters",
            );
        }
        Some(text.to_owned())
    }

    /// An amount in centimes.
    pub(super) fn amount(&mut self, field: &str, centimes: i64, least: i64) -> Option<i64> {
        if (least..=money::LARGEST).contains(&centimes) {
            return Some(centimes);
        }
        let description = format!("must be {least} to {} centimes", money::LARGEST);
        self.fault(field, "OUT_OF_RANGE", description)
    }

    /// A phone number (E.164).
    pub(super) fn phone(&mut self, field: &str, text: &str) -> Option<String> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let number = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if number {
            return Some(text.to_owned());
        }
        self.fault(field, "MALFORMED", "must be a phone number such as +212600000000")
    }

    /// A machine's word, such as `LINE_REFUSED`.
    pub(super) fn code(&mut self, field: &str, text: &str) -> Option<String> {
        let word = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if word {
            return Some(text.to_owned());
        }
        self.fault(
            field,
            "MALFORMED",
            "must be 1 to 64 upper-case letters, digits and underscores",
        )
    }

    /// A reference that people read and dictate; may be empty.
    pub(super) fn reference(&mut self, field: &str, text: &str) -> Option<String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'/';
        if text.len() <= 40 && text.bytes().all(plain) {
            return Some(text.to_owned());
        }
        self.fault(
            field,
            "MALFORMED",
            "must be at most 40 letters (A to Z), digits, \"-\" and \"/\"",
        )
    }

    /// One of the providers.
    pub(super) fn provider(&mut self, field: &str, text: &str) -> Option<Provider> {
        match Provider::parse(text) {
            Some(provider) => Some(provider),
            None => self.fault(field, "PROVIDER_UNKNOWN", "must be \"cmi\" or \"text-message\""),
        }
    }

    /// An instant, or none.
    pub(super) fn optional_instant(
        &mut self,
        field: &str,
        time: Option<&prost_types::Timestamp>,
    ) -> Option<Option<DateTime<Utc>>> {
        let Some(time) = time else { return Some(None) };
        let instant = u32::try_from(time.nanos)
            .ok()
            .and_then(|nanos| DateTime::from_timestamp(time.seconds, nanos));
        match instant {
            // To the database's resolution.
            Some(instant) => Some(Some(chrono::SubsecRound::trunc_subsecs(instant, 6))),
            None => self.fault(field, "MALFORMED", "must be an instant"),
        }
    }
}

/// The id in a field that names one thing; the only fault there can be.
pub(super) fn id(field: &'static str, text: &str) -> Result<Uuid, AppError> {
    let mut fields = Fields::default();
    match fields.id(field, text) {
        Some(id) => Ok(id),
        None => Err(fields.error()),
    }
}

/// Control characters, and those that turn the direction of the text around them.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
