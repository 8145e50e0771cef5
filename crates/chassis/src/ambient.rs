//! Time, identifiers and randomness as parameters, so that tests move the clock instead of waiting.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, NaiveDate, SubsecRound, Utc};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// The present instant, truncated to microseconds: PostgreSQL's resolution, so that a value read back is equal.
pub trait Clock: Send + Sync {
    /// The present instant, in whole microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where real time enters")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    at: Mutex<DateTime<Utc>>,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: DateTime<Utc>) -> Self {
        Self {
            at: Mutex::new(start.trunc_subsecs(6)),
        }
    }

    /// Moves the clock forward (or, with a negative duration, back).
    pub fn advance(&self, by: Duration) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        *at = (*at + by).trunc_subsecs(6);
    }

    /// Sets the clock.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = to.trunc_subsecs(6);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills `bytes`. [`SystemRandom`] is fit for keys and codes; [`SeededRandom`] never is.
    fn fill(&self, bytes: &mut [u8]);
}

/// The thread's cryptographic generator, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// The same bytes for the same seed: tests only.
#[derive(Debug)]
pub struct SeededRandom {
    generator: Mutex<StdRng>,
}

impl SeededRandom {
    /// A generator that starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            generator: Mutex::new(StdRng::seed_from_u64(seed)),
        }
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.generator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(bytes);
    }
}

/// What a use case may know of the world around it.
#[derive(Clone)]
pub struct Ambient {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub random: Arc<dyn Random>,
}

impl Ambient {
    /// The machine's own clock and generator.
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }

    /// The present instant, in whole microseconds.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A new identifier, RFC 9562 version 7: 48 bits of Unix milliseconds, then 74 random bits.
    pub fn uuid_v7(&self) -> Uuid {
        let milliseconds = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &self.bytes::<10>()).into_uuid()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ambient").finish_non_exhaustive()
    }
}

/// The civil date at the instant `at` in Morocco (`Africa/Casablanca`, whose offset changes around Ramadan).
pub fn civil_date(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&chrono_tz::Africa::Casablanca).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn clocks_show_whole_microseconds() {
        let clock = ManualClock::new(instant("2026-11-22T10:00:00.123456789Z"));
        assert_eq!(clock.now(), instant("2026-11-22T10:00:00.123456Z"));
        clock.advance(Duration::nanoseconds(1_999));
        assert_eq!(clock.now(), instant("2026-11-22T10:00:00.123457Z"));
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
    }

    #[test]
    fn an_identifier_carries_its_instant_and_the_seed_repeats() {
        let ambient = |seed| Ambient {
            clock: Arc::new(ManualClock::new(instant("2026-11-22T10:00:00Z"))),
            random: Arc::new(SeededRandom::new(seed)),
        };
        let id = ambient(7).uuid_v7();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().unwrap().to_unix().0, 1_795_341_600);
        assert_eq!(id, ambient(7).uuid_v7());
        assert_ne!(id, ambient(8).uuid_v7());
    }

    #[test]
    fn the_civil_date_is_casablanca_s() {
        assert_eq!(
            civil_date(instant("2026-11-21T23:30:00Z")).to_string(),
            "2026-11-22"
        );
        // In Ramadan of 2026 (19 February to 20 March) the country stood at UTC+0.
        assert_eq!(
            civil_date(instant("2026-03-01T23:30:00Z")).to_string(),
            "2026-03-01"
        );
    }
}
