//! Somebody without an account: an e-mail address and a phone, proved together by codes.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::contact::{Email, Phone};
use super::refusal::Refusal;
use super::vocabulary::Language;

/// An e-mail address and a phone, and how who has them is addressed.
#[derive(Clone, PartialEq, Eq)]
pub struct Reachable {
    pub email: Email,
    pub phone: Phone,
    pub language: Language,
}

super::redacted!(Reachable);

/// Who has proved both. The same two are the same subject again, and no account is ever looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactPerson {
    pub id: Uuid,
    pub reachable: Reachable,
    pub created_at: DateTime<Utc>,
}

/// A session that waits for both codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactSession {
    pub id: Uuid,
    pub reachable: Reachable,
    pub expires_at: DateTime<Utc>,
    pub done: bool,
}

impl ContactSession {
    /// # Errors
    /// [`Refusal::ContactSessionNotFound`] when it is over, whichever way.
    pub fn require_open(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        if self.done || now >= self.expires_at {
            Err(Refusal::ContactSessionNotFound)
        } else {
            Ok(())
        }
    }
}
