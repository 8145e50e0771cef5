//! Quotas by the generic cell rate algorithm (ITU-T I.371): a bucket lets `burst` through at once and `per_minute` in the
//! long run. What is stored for a key is one instant, its theoretical arrival time.

use chrono::{DateTime, TimeDelta, Utc};

/// The rate of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub burst: u32,
    /// Time that one unit takes to come back.
    pub interval: TimeDelta,
}

/// What a bucket answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub allowed: bool,
    pub limit: u32,
    pub remaining: u32,
    /// Until one unit is allowed; zero when it is.
    pub retry_after: TimeDelta,
    /// Until the bucket is full again.
    pub reset: TimeDelta,
}

impl Rate {
    /// `None` for a rate that lets nothing through.
    pub fn per_minute(per_minute: f64, burst: u32) -> Option<Self> {
        let usable = per_minute.is_finite() && per_minute > 0.0 && per_minute <= 60_000_000.0 && burst > 0;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the quotient lies between 1 and 60 million divided by a normal number"
        )]
        let interval = TimeDelta::microseconds((60_000_000.0 / per_minute) as i64);
        (usable && interval <= TimeDelta::days(30)).then_some(Self { burst, interval })
    }

    /// The rate of as many sources together.
    #[must_use]
    pub fn times(self, sources: u32) -> Self {
        Self {
            burst: self.burst.saturating_mul(sources),
            interval: self.interval / i32::try_from(sources).unwrap_or(i32::MAX).max(1),
        }
    }

    /// How far the theoretical arrival time may lie ahead.
    pub fn tolerance(self) -> TimeDelta {
        self.cost(self.burst)
    }

    /// What `units` move it by.
    pub fn cost(self, units: u32) -> TimeDelta {
        self.interval * i32::try_from(units).unwrap_or(i32::MAX)
    }

    /// The answer for a key whose theoretical arrival time, after the attempt, is `arrival`.
    pub fn answer(self, allowed: bool, arrival: DateTime<Utc>, now: DateTime<Utc>) -> Answer {
        let ahead = (arrival - now).max(TimeDelta::zero());
        let free = self.tolerance() - ahead;
        let remaining =
            free.num_microseconds().unwrap_or(0) / self.interval.num_microseconds().unwrap_or(1).max(1);
        let retry_after = if allowed {
            TimeDelta::zero()
        } else {
            (self.interval - free).max(TimeDelta::zero())
        };
        Answer {
            allowed,
            limit: self.burst,
            remaining: u32::try_from(remaining.max(0)).unwrap_or(self.burst),
            retry_after,
            reset: ahead,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_follow_the_arrival_time() {
        let rate = Rate::per_minute(6.0, 3).unwrap();
        assert_eq!(
            (rate.interval, rate.tolerance()),
            (TimeDelta::seconds(10), TimeDelta::seconds(30))
        );
        let now = DateTime::UNIX_EPOCH;
        let first = rate.answer(true, now + TimeDelta::seconds(10), now);
        assert_eq!(
            (first.remaining, first.retry_after, first.reset),
            (2, TimeDelta::zero(), TimeDelta::seconds(10))
        );
        let denied = rate.answer(false, now + TimeDelta::seconds(25), now);
        assert_eq!((denied.remaining, denied.retry_after), (0, TimeDelta::seconds(5)));
        let idle = rate.answer(true, now - TimeDelta::days(1), now);
        assert_eq!((idle.remaining, idle.reset), (3, TimeDelta::zero()));
    }

    #[test]
    fn unusable_rates_are_refused() {
        for (per_minute, burst) in [
            (0.0, 1),
            (-1.0, 1),
            (f64::NAN, 1),
            (1.0, 0),
            (f64::INFINITY, 1),
            (1e-9, 1),
        ] {
            assert_eq!(Rate::per_minute(per_minute, burst), None);
        }
    }
}
