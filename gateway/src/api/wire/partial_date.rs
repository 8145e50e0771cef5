//! A civil date of which the day, or the month and the day, may be unknown: acts and people's memory have such.

use chrono::NaiveDate;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{PartialSchema, ToSchema};
use wathiq_proto::google::r#type::Date;

use super::{Show, Tell, string_schema};

/// A year, a month or a day: `1990`, `1990-05`, `1990-05-17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartialDate {
    year: i32,
    month: i32,
    day: i32,
}

impl PartialDate {
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str, digits: usize| -> Option<u32> {
            let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten()
        };
        let mut parts = text.split('-');
        let year = number(parts.next()?, 4)?;
        let month = parts.next().map(|part| number(part, 2));
        let day = parts.next().map(|part| number(part, 2));
        if parts.next().is_some() {
            return None;
        }
        let known = |part: Option<Option<u32>>| match part {
            None => Some(0),
            Some(Some(number)) if number > 0 => Some(number),
            Some(_) => None,
        };
        let (month, day) = (known(month)?, known(day)?);
        let year = i32::try_from(year).ok()?;
        NaiveDate::from_ymd_opt(year, month.max(1), day.max(1))?;
        Some(PartialDate {
            year,
            month: i32::try_from(month).ok()?,
            day: i32::try_from(day).ok()?,
        })
    }

    fn text(self) -> String {
        match (self.month, self.day) {
            (0, _) => format!("{:04}", self.year),
            (month, 0) => format!("{:04}-{month:02}", self.year),
            (month, day) => format!("{:04}-{month:02}-{day:02}", self.year),
        }
    }
}

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| D::Error::custom("expected a date such as 1990-05-17, 1990-05 or 1990"))
    }
}

impl Show<PartialDate> for Date {
    fn show(self) -> PartialDate {
        PartialDate {
            year: self.year,
            month: self.month,
            day: self.day,
        }
    }
}

impl Tell<Date> for PartialDate {
    fn tell(self) -> Date {
        Date {
            year: self.year,
            month: self.month,
            day: self.day,
        }
    }
}

impl PartialSchema for PartialDate {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let described =
            "A date of which the day, or month and day, may be unknown: 1990-05-17, 1990-05 or 1990.";
        string_schema(Some("partial-date"), described).into()
    }
}

impl ToSchema for PartialDate {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
        for text in ["1990-05-17", "1990-05", "1990", "2024-02-29"] {
            let date = PartialDate::parse(text).unwrap();
            assert_eq!(date.text(), text);
            let message: Date = date.tell();
            let back: PartialDate = message.show();
            assert_eq!(back, date);
        }
        for wrong in [
            "",
            "90",
            "1990-5",
            "1990-13",
            "1990-00",
            "1990-02-30",
            "1990-05-17-1",
            "1990-05-00",
            "+990",
        ] {
            assert_eq!(PartialDate::parse(wrong), None, "{wrong}");
        }
    }
}
