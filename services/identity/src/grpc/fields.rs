//! Reads all fields of a request before complaining, so that a caller learns of every bad one at once.

use chrono::NaiveDate;
use uuid::Uuid;
use wathiq_chassis::FieldViolation;
use wathiq_proto::google::r#type::Date;

use crate::app::Error;
use crate::domain::office::Period;

/// Violations found so far.
#[derive(Default)]
pub(super) struct Fields(Vec<FieldViolation>);

impl Fields {
    /// The value, or a note of what is wrong with it.
    pub(super) fn take<T>(&mut self, result: Result<T, FieldViolation>) -> Option<T> {
        result.map_err(|violation| self.0.push(violation)).ok()
    }

    pub(super) fn note(&mut self, field: &str, reason: &'static str, description: impl Into<String>) {
        self.0.push(FieldViolation::new(field, reason, description));
    }

    pub(super) fn extend(&mut self, violations: impl IntoIterator<Item = FieldViolation>) {
        self.0.extend(violations);
    }

    /// All values together, when nothing was noted.
    pub(super) fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Error> {
        if self.0.is_empty() {
            build().ok_or(Error::Invalid(Vec::new()))
        } else {
            Err(Error::Invalid(self.0))
        }
    }

    pub(super) fn id(&mut self, field: &str, text: &str) -> Option<Uuid> {
        self.take(id(field, text))
    }

    /// An id that may be absent.
    pub(super) fn optional_id(&mut self, field: &str, text: &str) -> Option<Option<Uuid>> {
        if text.is_empty() {
            Some(None)
        } else {
            self.id(field, text).map(Some)
        }
    }

    pub(super) fn date(&mut self, field: &str, date: Option<Date>) -> Option<NaiveDate> {
        let violation = || FieldViolation::new(field, "REQUIRED", "the date is missing");
        self.take(date.ok_or_else(violation).and_then(|date| civil(field, date)))
    }

    pub(super) fn optional_date(&mut self, field: &str, date: Option<Date>) -> Option<Option<NaiveDate>> {
        match date {
            None => Some(None),
            Some(date) => self.take(civil(field, date)).map(Some),
        }
    }

    /// `to` may be absent.
    pub(super) fn period(&mut self, scope: &str, from: Option<Date>, to: Option<Date>) -> Option<Period> {
        let name = |field: &str| {
            if scope.is_empty() {
                field.to_owned()
            } else {
                format!("{scope}.{field}")
            }
        };
        let from = self.date(&name("from"), from);
        let to = self.optional_date(&name("to"), to);
        let period = Period::new(from?, to?);
        if period.is_none() {
            self.note(
                &name("to"),
                "BEFORE_BEGINNING",
                "the end lies before the beginning",
            );
        }
        period
    }

    /// A word of a closed set, of which the transport's zero is none.
    pub(super) fn word<P, W>(
        &mut self,
        field: &str,
        value: i32,
        read: impl FnOnce(P) -> Option<W>,
    ) -> Option<W>
    where
        P: TryFrom<i32>,
    {
        let word = P::try_from(value).ok().and_then(read);
        if word.is_none() {
            self.note(field, "REQUIRED", "one of the known values is needed");
        }
        word
    }
}

fn id(field: &str, text: &str) -> Result<Uuid, FieldViolation> {
    match Uuid::try_parse(text) {
        _ if text.is_empty() => Err(FieldViolation::new(field, "REQUIRED", "the id is missing")),
        Ok(id) => Ok(id),
        Err(_) => Err(FieldViolation::new(field, "MALFORMED", "not a UUID")),
    }
}

fn civil(field: &str, date: Date) -> Result<NaiveDate, FieldViolation> {
    let part = |value: i32| u32::try_from(value).ok();
    part(date.month)
        .zip(part(date.day))
        .filter(|_| (1..=9999).contains(&date.year))
        .and_then(|(month, day)| NaiveDate::from_ymd_opt(date.year, month, day))
        .ok_or_else(|| FieldViolation::new(field, "NOT_A_DATE", "no such day"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_violations_are_kept() {
        let mut fields = Fields::default();
        assert_eq!(fields.id("a", ""), None);
        assert_eq!(fields.id("b", "x"), None);
        assert_eq!(
            fields.date(
                "c",
                Some(Date {
                    year: 2026,
                    month: 2,
                    day: 30
                })
            ),
            None
        );
        let day = |day| {
            Some(Date {
                year: 2026,
                month: 2,
                day,
            })
        };
        assert_eq!(fields.period("p", day(2), day(1)), None);
        let Err(Error::Invalid(found)) = fields.finish(|| Some(())) else {
            panic!()
        };
        let found: Vec<_> = found.iter().map(|v| (v.field.as_str(), v.reason)).collect();
        assert_eq!(
            found,
            [
                ("a", "REQUIRED"),
                ("b", "MALFORMED"),
                ("c", "NOT_A_DATE"),
                ("p.to", "BEFORE_BEGINNING")
            ]
        );
    }
}
