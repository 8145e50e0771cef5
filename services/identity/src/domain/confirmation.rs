//! Step-up confirmations: one person, one purpose, exactly these hashes, one use, ten minutes.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::refusal::Refusal;
use super::vocabulary::{Surface, words};

/// Life of a confirmation, from opening to use.
pub const LIFE: TimeDelta = TimeDelta::minutes(10);
/// Wrong codes that bar it.
pub const ATTEMPTS: i16 = 5;
/// Most hashes in one confirmation.
pub const MOST_HASHES: usize = 200;

words! {
    /// What a confirmation may be used for.
    Purpose {
        /// A citizen confirms their own signature on a document.
        Legalise = "legalise",
        /// An officer authorises seals.
        Seal = "seal",
    }
}

words! {
    /// How a confirmation was given.
    Method { Totp = "totp" }
}

/// Distinct SHA-256 values in ascending order: two sets are equal when their lists are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashSet(Vec<[u8; 32]>);

/// Why a list of hashes is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    #[error("1 to {MOST_HASHES} hashes are confirmed at once")]
    Count,
    #[error("a hash has 32 bytes")]
    Length,
    #[error("a hash is named twice")]
    Repeated,
}

impl HashError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Count => "HASH_COUNT",
            Self::Length => "HASH_LENGTH",
            Self::Repeated => "HASH_REPEATED",
        }
    }
}

impl HashSet {
    /// # Errors
    /// [`HashError`].
    pub fn parse<B: AsRef<[u8]>>(hashes: &[B]) -> Result<Self, HashError> {
        if hashes.is_empty() || hashes.len() > MOST_HASHES {
            return Err(HashError::Count);
        }
        let mut parsed = Vec::with_capacity(hashes.len());
        for hash in hashes {
            parsed.push(<[u8; 32]>::try_from(hash.as_ref()).map_err(|_| HashError::Length)?);
        }
        parsed.sort_unstable();
        if parsed.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(HashError::Repeated);
        }
        Ok(Self(parsed))
    }

    pub fn as_slice(&self) -> &[[u8; 32]] {
        &self.0
    }
}

/// Where a confirmation stands. That it is too old is told by the time, not by the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Open,
    Confirmed(Given),
    Redeemed {
        given: Given,
        service: String,
        at: DateTime<Utc>,
    },
    Barred,
    /// Noted some time after it grew too old.
    Expired,
}

/// How and when it was given, with the signed record of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub method: Method,
    pub at: DateTime<Utc>,
    /// Compact JWS.
    pub record: String,
}

/// A confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub id: Uuid,
    /// Counts the confirmation's events.
    pub version: i64,
    pub person_id: Uuid,
    pub session_id: Uuid,
    pub purpose: Purpose,
    pub hashes: HashSet,
    pub state: State,
    pub attempts_left: i16,
    pub expires_at: DateTime<Utc>,
}

/// What happened to a confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfirmationFact {
    Opened(Purpose),
    Given(Method),
    Redeemed { service: String },
    Barred,
}

/// What the owning service says it was confirmed.
#[derive(Debug, Clone)]
pub struct Redemption {
    pub service: String,
    pub person_id: Uuid,
    pub purpose: Purpose,
    pub hashes: HashSet,
}

impl Confirmation {
    /// # Errors
    /// [`Refusal::WrongSurface`] for a seal outside the staff surface, or for a citizen's act on it.
    pub fn open(
        id: Uuid,
        (person_id, session_id, surface): (Uuid, Uuid, Surface),
        purpose: Purpose,
        hashes: HashSet,
        now: DateTime<Utc>,
    ) -> Result<(Self, ConfirmationFact), Refusal> {
        let wanted = match purpose {
            Purpose::Legalise => Surface::Citizen,
            Purpose::Seal => Surface::Staff,
        };
        if surface != wanted {
            return Err(Refusal::WrongSurface);
        }
        let confirmation = Self {
            id,
            version: 1,
            person_id,
            session_id,
            purpose,
            hashes,
            state: State::Open,
            attempts_left: ATTEMPTS,
            expires_at: now + LIFE,
        };
        Ok((confirmation, ConfirmationFact::Opened(purpose)))
    }

    /// # Errors
    /// When no code can be tried any more.
    pub fn require_open(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.state {
            State::Barred => Err(Refusal::ConfirmationBarred),
            State::Redeemed { .. } => Err(Refusal::ConfirmationUsed),
            State::Expired => Err(Refusal::ConfirmationExpired),
            _ if now >= self.expires_at => Err(Refusal::ConfirmationExpired),
            State::Confirmed(_) => Err(Refusal::ConfirmationGiven),
            State::Open => Ok(()),
        }
    }

    /// # Errors
    /// As [`Self::require_open`].
    pub fn give(self, given: Given, now: DateTime<Utc>) -> Result<(Self, ConfirmationFact), Refusal> {
        self.require_open(now)?;
        let fact = ConfirmationFact::Given(given.method);
        Ok((
            Self {
                state: State::Confirmed(given),
                version: self.version + 1,
                ..self
            },
            fact,
        ))
    }

    /// Counts a wrong code; the last one bars.
    ///
    /// # Errors
    /// As [`Self::require_open`].
    pub fn wrong_code(self, now: DateTime<Utc>) -> Result<(Self, Option<ConfirmationFact>), Refusal> {
        self.require_open(now)?;
        let attempts_left = self.attempts_left - 1;
        if attempts_left > 0 {
            return Ok((
                Self {
                    attempts_left,
                    ..self
                },
                None,
            ));
        }
        let barred = Self {
            attempts_left: 0,
            state: State::Barred,
            version: self.version + 1,
            ..self
        };
        Ok((barred, Some(ConfirmationFact::Barred)))
    }

    /// Uses it up.
    ///
    /// # Errors
    /// When it was not given, is too old, was used, or is of another person, purpose or set of hashes.
    pub fn redeem(self, by: Redemption, now: DateTime<Utc>) -> Result<(Self, ConfirmationFact), Refusal> {
        let given = match &self.state {
            State::Barred => return Err(Refusal::ConfirmationBarred),
            State::Redeemed { .. } => return Err(Refusal::ConfirmationUsed),
            State::Expired => return Err(Refusal::ConfirmationExpired),
            _ if now >= self.expires_at => return Err(Refusal::ConfirmationExpired),
            State::Open => return Err(Refusal::ConfirmationOpen),
            State::Confirmed(given) => given.clone(),
        };
        let equal = by.person_id == self.person_id && by.purpose == self.purpose && by.hashes == self.hashes;
        if !equal {
            return Err(Refusal::ConfirmationMismatch);
        }
        let fact = ConfirmationFact::Redeemed {
            service: by.service.clone(),
        };
        let state = State::Redeemed {
            given,
            service: by.service,
            at: now,
        };
        Ok((
            Self {
                state,
                version: self.version + 1,
                ..self
            },
            fact,
        ))
    }
}

#[cfg(test)]
#[path = "confirmation/tests.rs"]
mod tests;
