//! Reading the fields of a message: every fault is noted, so that all of them are answered at once.

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;
use wathiq_chassis::FieldViolation;

use crate::app::Error;
use crate::domain::party::Fault;
use crate::domain::text::printable;

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

    /// The value, or nothing and its fault.
    pub(super) fn take<T>(&mut self, result: Result<T, FieldViolation>) -> Option<T> {
        result.map_err(|violation| self.0.push(violation)).ok()
    }

    /// The value of the domain, or nothing and all faults found in it.
    pub(super) fn checked<T>(&mut self, field: &str, result: Result<T, Vec<Fault>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(faults) => {
                for fault in faults {
                    let Fault {
                        field,
                        reason,
                        description,
                    } = if field.is_empty() {
                        fault
                    } else {
                        fault.within(field)
                    };
                    self.0.push(FieldViolation::new(field, reason, description));
                }
                None
            }
        }
    }

    /// The value, unless something was wrong.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all faults.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.0)),
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

    /// A UUID, or an empty text: the outer level says whether the field was good.
    pub(super) fn optional_id(&mut self, field: &str, text: &str) -> Option<Option<Uuid>> {
        if text.is_empty() {
            Some(None)
        } else {
            self.id(field, text).map(Some)
        }
    }

    /// One to `most` different UUIDs.
    pub(super) fn ids(&mut self, field: &str, texts: &[String], most: usize) -> Option<Vec<Uuid>> {
        if !(1..=most).contains(&texts.len()) {
            return self.fault(field, "OUT_OF_RANGE", format!("names 1 to {most} shipments"));
        }
        let mut ids = Vec::with_capacity(texts.len());
        let mut good = true;
        for (index, text) in texts.iter().enumerate() {
            let field = format!("{field}[{index}]");
            match self.id(&field, text) {
                Some(id) if ids.contains(&id) => {
                    good = false;
                    self.fault::<()>(&field, "TWICE", "is named twice");
                }
                Some(id) => ids.push(id),
                None => good = false,
            }
        }
        good.then_some(ids)
    }

    /// A note of 10 to 500 characters.
    pub(super) fn note(&mut self, field: &str, text: &str) -> Option<String> {
        match printable(text, 500) {
            Ok(Some(note)) if note.chars().count() >= 10 => Some(note),
            Ok(None) => self.fault(field, "REQUIRED", "is a note of 10 to 500 characters"),
            Ok(Some(_)) => self.fault(field, "LENGTH", "is a note of 10 to 500 characters"),
            Err(fault) => self.fault(field, fault.reason, fault.description),
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
            Some(instant) => Some(Some(instant.trunc_subsecs(6))),
            None => self.fault(field, "MALFORMED", "must be an instant"),
        }
    }
}
