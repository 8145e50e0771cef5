//! Sessions and the challenge between password and second factor.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::refusal::Refusal;
use super::vocabulary::Surface;

/// Life of a challenge.
pub const CHALLENGE_LIFE: TimeDelta = TimeDelta::minutes(5);
/// Wrong codes that end a challenge.
pub const CHALLENGE_ATTEMPTS: i16 = 5;

/// How long sessions of people without an account live, used or not: long enough to place an order and to come back to it.
pub const CONTACT_LIFE: Lifetime = Lifetime {
    idle: TimeDelta::hours(24),
    absolute: TimeDelta::hours(24),
};

/// How long sessions of one surface live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    pub idle: TimeDelta,
    pub absolute: TimeDelta,
}

/// Where a session was opened from, shown to its person.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Origin {
    pub client_address: String,
    pub user_agent: String,
}

super::redacted!(Origin);

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    Person,
    Password,
    /// Not used for too long, or at the end of its life.
    Expired,
}

/// A session. Its secret is known to its holder alone; a digest of it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: Uuid,
    pub person_id: Uuid,
    pub surface: Surface,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub origin: Origin,
}

impl Session {
    /// When it ends if it is not used again.
    pub fn expires_at(&self, lifetime: Lifetime) -> DateTime<Utc> {
        (self.last_used_at + lifetime.idle).min(self.created_at + lifetime.absolute)
    }

    pub fn is_live(&self, lifetime: Lifetime, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at(lifetime)
    }

    /// # Errors
    /// [`Refusal::SessionExpired`] when it is over.
    pub fn touch(self, lifetime: Lifetime, now: DateTime<Utc>) -> Result<Self, Refusal> {
        if self.is_live(lifetime, now) {
            Ok(Self {
                last_used_at: self.last_used_at.max(now),
                ..self
            })
        } else {
            Err(Refusal::SessionExpired)
        }
    }
}

/// A sign-in whose password was right and whose second factor is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    pub id: Uuid,
    pub person_id: Uuid,
    pub surface: Surface,
    pub attempts_left: i16,
    pub expires_at: DateTime<Utc>,
    pub used: bool,
    pub origin: Origin,
}

impl Challenge {
    /// # Errors
    /// [`Refusal::ChallengeInvalid`] when it is over, whichever way.
    pub fn require_open(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        if self.used || self.attempts_left <= 0 || now >= self.expires_at {
            Err(Refusal::ChallengeInvalid)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Lifetime = Lifetime {
        idle: TimeDelta::minutes(30),
        absolute: TimeDelta::hours(12),
    };

    fn session() -> Session {
        Session {
            id: Uuid::nil(),
            person_id: Uuid::nil(),
            surface: Surface::Citizen,
            created_at: DateTime::UNIX_EPOCH,
            last_used_at: DateTime::UNIX_EPOCH,
            ended_at: None,
            origin: Origin::default(),
        }
    }

    #[test]
    fn use_prolongs_it_until_the_absolute_end() {
        let mut session = session();
        let mut now = DateTime::UNIX_EPOCH;
        for _ in 0..24 {
            now += TimeDelta::minutes(29);
            session = session.touch(LIFETIME, now).unwrap();
        }
        assert_eq!(
            session.expires_at(LIFETIME),
            DateTime::UNIX_EPOCH + LIFETIME.absolute
        );
        assert_eq!(
            session.touch(LIFETIME, DateTime::UNIX_EPOCH + LIFETIME.absolute),
            Err(Refusal::SessionExpired)
        );
    }

    #[test]
    fn idle_or_ended_is_over() {
        let now = DateTime::UNIX_EPOCH + LIFETIME.idle;
        assert_eq!(session().touch(LIFETIME, now), Err(Refusal::SessionExpired));
        let ended = Session {
            ended_at: Some(DateTime::UNIX_EPOCH),
            ..session()
        };
        assert!(!ended.is_live(LIFETIME, DateTime::UNIX_EPOCH));
    }
}
