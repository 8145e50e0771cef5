//! Dates as an act writes them. Nothing is ever computed from one calendar to the other: Morocco sights the moon itself.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A Gregorian date of which the act may not say the day, or day and month: "1984-03-02", "1984-03", "1984".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartialDate {
    year: i16,
    month: u8,
    day: u8,
}

/// It is no date of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a date such as 1984-03-02, 1984-03 or 1984")]
pub struct DateError;

impl PartialDate {
    /// The date of these numbers; 0 for what the act does not say.
    ///
    /// # Errors
    /// [`DateError`], also for a day without a month.
    pub fn new(year: i32, month: i32, day: i32) -> Result<Self, DateError> {
        let year = i16::try_from(year)
            .ok()
            .filter(|year| (1000..=9999).contains(year))
            .ok_or(DateError)?;
        let month = u8::try_from(month)
            .ok()
            .filter(|month| *month <= 12)
            .ok_or(DateError)?;
        let day = u8::try_from(day).map_err(|_| DateError)?;
        let date = Self { year, month, day };
        if day == 0 || date.full().is_some() {
            Ok(date)
        } else {
            Err(DateError)
        }
    }

    pub fn year(self) -> i16 {
        self.year
    }

    /// 1 to 12, or 0.
    pub fn month(self) -> u8 {
        self.month
    }

    /// 1 to 31, or 0.
    pub fn day(self) -> u8 {
        self.day
    }

    /// The date, where the act says all of it.
    pub fn full(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(i32::from(self.year), u32::from(self.month), u32::from(self.day))
    }

    /// The earliest day it can mean.
    pub fn earliest(self) -> NaiveDate {
        let (month, day) = (self.month.max(1), self.day.max(1));
        NaiveDate::from_ymd_opt(i32::from(self.year), u32::from(month), u32::from(day))
            .unwrap_or(NaiveDate::MIN)
    }

    /// The latest day it can mean.
    pub fn latest(self) -> NaiveDate {
        if let Some(day) = self.full() {
            return day;
        }
        let year = i32::from(self.year);
        let next = match self.month {
            0 | 12 => NaiveDate::from_ymd_opt(year + 1, 1, 1),
            month => NaiveDate::from_ymd_opt(year, u32::from(month) + 1, 1),
        };
        next.and_then(|next| next.pred_opt()).unwrap_or(NaiveDate::MAX)
    }

    /// Whether every day it can mean comes before every day the other can.
    pub fn is_before(self, other: Self) -> bool {
        self.latest() < other.earliest()
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day } = self;
        match (month, day) {
            (0, _) => write!(formatter, "{year:04}"),
            (_, 0) => write!(formatter, "{year:04}-{month:02}"),
            _ => write!(formatter, "{year:04}-{month:02}-{day:02}"),
        }
    }
}

impl FromStr for PartialDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let number = |part: Option<&str>, places: usize| match part {
            None => Ok(0),
            // "00" would be a second way to say nothing.
            Some(part) if part.len() == places && part.bytes().all(|byte| byte.is_ascii_digit()) => {
                part.parse().ok().filter(|number| *number > 0).ok_or(DateError)
            }
            Some(_) => Err(DateError),
        };
        let mut parts = text.split('-');
        let year = number(parts.next(), 4)?;
        let month = number(parts.next(), 2)?;
        let day = number(parts.next(), 2)?;
        if parts.next().is_some() {
            return Err(DateError);
        }
        Self::new(year, month, day)
    }
}

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = PartialDate;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a date such as \"1984-03-02\", \"1984-03\" or \"1984\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PartialDate, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// A date as the act writes it: the Gregorian date in figures, and four texts in letters, each of which may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WrittenDate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gregorian: Option<PartialDate>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hijri_arabic: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hijri_latin: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gregorian_arabic: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gregorian_latin: String,
}

impl WrittenDate {
    /// Whether the act says nothing of it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_that_the_act_does_not_say_are_left_out() {
        for text in ["1984-03-02", "1984-03", "1984", "2024-02-29"] {
            assert_eq!(text.parse::<PartialDate>().unwrap().to_string(), text);
        }
        let bad = [
            "",
            "84",
            "1984-13",
            "1984-02-30",
            "2023-02-29",
            "1984-3-2",
            "1984-00-02",
            "1984-03-02-01",
            "0984",
        ];
        for text in bad {
            assert_eq!(text.parse::<PartialDate>(), Err(DateError), "{text}");
        }
        assert_eq!(PartialDate::new(1984, 0, 2), Err(DateError));
        assert_eq!(PartialDate::new(1984, 0, 0).unwrap().full(), None);
    }

    #[test]
    fn what_a_date_can_mean_decides_what_is_before_it() {
        let date = |text: &str| text.parse::<PartialDate>().unwrap();
        for (text, latest) in [
            ("1984", "1984-12-31"),
            ("1984-02", "1984-02-29"),
            ("1984-12", "1984-12-31"),
            ("1984-03-02", "1984-03-02"),
        ] {
            assert_eq!(date(text).latest().to_string(), latest);
        }
        for (one, other) in [
            ("1984-03-01", "1984-03-02"),
            ("1984-02", "1984-03-01"),
            ("1983", "1984"),
        ] {
            assert!(date(one).is_before(date(other)) && !date(other).is_before(date(one)));
        }
        for (one, other) in [
            ("1984-03-01", "1984-03-01"),
            ("1984-03", "1984-03-31"),
            ("1984", "1984-12"),
        ] {
            assert!(!date(one).is_before(date(other)) && !date(other).is_before(date(one)));
        }
    }

    #[test]
    fn json_keeps_it_as_text() {
        let date: WrittenDate =
            serde_json::from_str(r#"{"gregorian":"1984-03","hijri_latin":"jumada II 1404"}"#).unwrap();
        assert_eq!(date.gregorian, PartialDate::new(1984, 3, 0).ok());
        assert_eq!(
            serde_json::to_string(&date).unwrap(),
            r#"{"gregorian":"1984-03","hijri_latin":"jumada II 1404"}"#
        );
        assert!(serde_json::from_str::<WrittenDate>(r#"{"gregorian":1984}"#).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(year in 1000i32..=9999, month in 0i32..=12, day in 0i32..=31) {
            if let Ok(date) = PartialDate::new(year, month, day) {
                prop_assert_eq!(date.to_string().parse(), Ok(date));
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<PartialDate>();
        }
    }
}
