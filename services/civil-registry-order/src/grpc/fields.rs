//! Reading the fields of a message: every fault is noted, so that all of them are answered at once.

use uuid::Uuid;
use wathiq_chassis::FieldViolation;

use crate::app::AppError;
use crate::domain::text::is_unprintable;

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

    /// A UUID, or an empty text: the outer level says whether the field was good.
    pub(super) fn optional_id(&mut self, field: &str, text: &str) -> Option<Option<Uuid>> {
        if text.is_empty() {
            Some(None)
        } else {
            self.id(field, text).map(Some)
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
        if text
            .chars()
            .any(|character| is_unprintable(character) && character != '\n')
        {
            return self.fault(
                field,
                "UNPRINTABLE",
                "must not have control or text-direction characters",
            );
        }
        Some(text.to_owned())
    }

    /// A number of a smaller type.
    pub(super) fn number<F: Copy, T: TryFrom<F>>(&mut self, field: &str, value: F) -> Option<T> {
        match T::try_from(value) {
            Ok(number) => Some(number),
            Err(_) => self.fault(field, "OUT_OF_RANGE", "is too small or too large"),
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
