//! Deadlines in working days: days on which offices are open, Africa/Casablanca.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Africa::Casablanca;

/// Days on which offices are closed, beside Saturdays and Sundays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    pub holidays: BTreeSet<NaiveDate>,
}

impl Calendar {
    /// Whether offices are open.
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        !is_weekend(day) && !self.holidays.contains(&day)
    }

    /// The end of the `days`-th working day after the day of `from`.
    pub fn deadline(&self, from: DateTime<Utc>, days: u16) -> DateTime<Utc> {
        let mut day = wathiq_chassis::civil_date(from);
        let mut left = days;
        while left > 0 {
            day = next(day);
            if self.is_working_day(day) {
                left -= 1;
            }
        }
        end_of(day)
    }
}

/// Saturday or Sunday: offices are closed, whatever is said of holidays.
pub fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn next(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX)
}

/// The first instant after a civil day.
pub fn end_of(day: NaiveDate) -> DateTime<Utc> {
    start_of(next(day))
}

/// The first instant of a civil day.
pub fn start_of(day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    // Clocks are turned at 2 or 3 in the morning: midnight exists once.
    Casablanca
        .from_local_datetime(&midnight)
        .earliest()
        .map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn weekends_and_holidays_are_not_counted() {
        let calendar = Calendar {
            holidays: [day("2026-11-06"), day("2026-11-18")].into(),
        };
        let from: DateTime<Utc> = "2026-11-05T10:00:00Z".parse().unwrap();
        // Friday 6 is a holiday, then the weekend: Monday 9 is the first working day.
        assert_eq!(calendar.deadline(from, 1), end_of(day("2026-11-09")));
        assert_eq!(calendar.deadline(from, 5), end_of(day("2026-11-13")));
        assert_eq!(calendar.deadline(from, 8), end_of(day("2026-11-19")));
        assert_eq!(calendar.deadline(from, 0), end_of(day("2026-11-05")));
    }

    #[test]
    fn a_day_is_the_civil_one() {
        let calendar = Calendar::default();
        // 23:30 UTC is after midnight in Morocco.
        let late: DateTime<Utc> = "2026-11-05T23:30:00Z".parse().unwrap();
        assert_eq!(calendar.deadline(late, 1), end_of(day("2026-11-09")));
    }
}
