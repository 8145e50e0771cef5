//! The receipt of a filing (law 55-19: number, date of filing, expected date).

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc, Weekday};

/// Proof of filing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub number: String,
    pub submitted_at: DateTime<Utc>,
    /// Civil date in Africa/Casablanca.
    pub expected_on: NaiveDate,
}

/// The number of a receipt: the office's code, the civil year, and the place in that office's year.
pub fn number(office_code: &str, year: i32, sequence: i64) -> String {
    format!("{office_code}-{year}-{sequence:06}")
}

/// The day an answer can be expected: so many working days after the day of filing. Saturdays, Sundays and `holidays` do not
/// count.
pub fn expected_on(filed_on: NaiveDate, working_days: u32, holidays: &BTreeSet<NaiveDate>) -> NaiveDate {
    let is_working =
        |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !holidays.contains(day);
    filed_on
        .iter_days()
        .skip(1)
        .filter(is_working)
        .nth(working_days.saturating_sub(1) as usize)
        .unwrap_or_else(|| filed_on + Days::new(u64::from(working_days)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn weekends_and_holidays_do_not_count() {
        let none = BTreeSet::new();
        // 20 November 2026 is a Friday.
        assert_eq!(expected_on(day("2026-11-20"), 1, &none), day("2026-11-23"));
        assert_eq!(expected_on(day("2026-11-20"), 3, &none), day("2026-11-25"));
        assert_eq!(expected_on(day("2026-11-21"), 1, &none), day("2026-11-23"));
        assert_eq!(expected_on(day("2026-11-18"), 2, &none), day("2026-11-20"));
        let holidays = BTreeSet::from([day("2026-11-23")]);
        assert_eq!(expected_on(day("2026-11-20"), 1, &holidays), day("2026-11-24"));
    }

    #[test]
    fn numbers_are_padded_and_grow_beyond_the_padding() {
        assert_eq!(number("ANF-CITE-AIR", 2026, 7), "ANF-CITE-AIR-2026-000007");
        assert_eq!(number("X", 2026, 1_234_567), "X-2026-1234567");
    }
}
