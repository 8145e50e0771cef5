//! When an attempt that did not succeed is repeated.

use chrono::{DateTime, TimeDelta, Utc};

/// How long a message that need not be instant is tried, counted from the event that caused it.
pub const PATIENCE: TimeDelta = TimeDelta::days(3);

/// Pause after the first attempt; each further one is twice as long.
const FIRST: TimeDelta = TimeDelta::seconds(1);
/// Longest pause while somebody may be waiting in front of a screen.
const LONGEST_AT_FIRST: TimeDelta = TimeDelta::seconds(20);
/// For how long that is: a one-time code lives ten minutes.
const SOMEBODY_WAITS: TimeDelta = TimeDelta::minutes(10);
/// Longest pause afterwards.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// The pause after attempt number `attempts` of a message of this age. `jitter` spreads it by a fifth to either side, so
/// that what failed together does not come back together: 0 is shortest, 255 is longest.
pub fn pause(attempts: i32, age: TimeDelta, jitter: u8) -> TimeDelta {
    let longest = if age < SOMEBODY_WAITS {
        LONGEST_AT_FIRST
    } else {
        LONGEST
    };
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    let pause = (FIRST * 2_i32.pow(doublings)).min(longest);
    let tenths = 800 + 400 * i64::from(jitter) / 255;
    TimeDelta::milliseconds(pause.num_milliseconds() * tenths / 1000)
}

/// When attempts end, for an event that happened then.
pub fn give_up_at(happened_at: DateTime<Utc>) -> DateTime<Utc> {
    happened_at + PATIENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_that_grows_with_age() {
        let middle = |attempts, age| pause(attempts, age, 127).num_seconds();
        let young = TimeDelta::minutes(1);
        let pauses: Vec<i64> = (1..=7).map(|attempts| middle(attempts, young)).collect();
        assert_eq!(pauses, [0, 1, 3, 7, 15, 19, 19]);
        assert_eq!(middle(40, TimeDelta::hours(1)), 14 * 60 + 59);
    }

    #[test]
    fn jitter_is_a_fifth_to_either_side() {
        let age = TimeDelta::hours(1);
        assert_eq!(pause(40, age, 0), TimeDelta::minutes(12));
        assert_eq!(pause(40, age, 255), TimeDelta::minutes(18));
    }
}
