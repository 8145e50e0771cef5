//! Codes and notices on their way to a person. Code and address stand encrypted here until they are taken or too old; no
//! event and no log carries them.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::refusal::Refusal;
use super::vocabulary::{Channel, Language, words};

/// How long a notice that carries no code may still be sent.
pub const NOTICE_LIFE: TimeDelta = TimeDelta::hours(24);

words! {
    /// What a delivery carries.
    DeliveryKind {
        SignUpCode = "sign_up_code",
        ContactChangeCode = "contact_change_code",
        PasswordResetCode = "password_reset_code",
        AccountExistsNotice = "account_exists_notice",
        CredentialChangedNotice = "credential_changed_notice",
        ContactSessionCode = "contact_session_code",
    }
}

words! {
    /// Where a delivery stands.
    DeliveryState { Waiting = "waiting", Taken = "taken", Expired = "expired" }
}

/// A code or notice on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: Uuid,
    pub kind: DeliveryKind,
    pub channel: Channel,
    pub language: Language,
    /// Stands for a code to an address without an account: it is taken like any other, and nothing is sent.
    pub silent: bool,
    pub expires_at: DateTime<Utc>,
    /// The request that took it.
    pub taken_by: Option<Uuid>,
}

impl Delivery {
    pub fn state(&self, now: DateTime<Utc>) -> DeliveryState {
        match self.taken_by {
            Some(_) => DeliveryState::Taken,
            None if now >= self.expires_at => DeliveryState::Expired,
            None => DeliveryState::Waiting,
        }
    }

    /// Takes it once. The same request may take it again until it expires: the sender may have died before it sent.
    ///
    /// # Errors
    /// [`Refusal::DeliveryExpired`] or [`Refusal::DeliveryTaken`].
    pub fn take(self, request_id: Uuid, now: DateTime<Utc>) -> Result<Self, Refusal> {
        if now >= self.expires_at {
            return Err(Refusal::DeliveryExpired);
        }
        match self.taken_by {
            Some(earlier) if earlier != request_id => Err(Refusal::DeliveryTaken),
            _ => Ok(Self {
                taken_by: Some(request_id),
                ..self
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery() -> Delivery {
        Delivery {
            id: Uuid::nil(),
            kind: DeliveryKind::SignUpCode,
            channel: Channel::Email,
            language: Language::French,
            silent: false,
            expires_at: DateTime::UNIX_EPOCH + TimeDelta::minutes(10),
            taken_by: None,
        }
    }

    #[test]
    fn one_request_takes_it_as_often_as_it_must() {
        let (first, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(delivery().state(now), DeliveryState::Waiting);
        let taken = delivery().take(first, now).unwrap();
        assert_eq!(taken.state(now), DeliveryState::Taken);
        assert_eq!(taken.clone().take(first, now).unwrap(), taken);
        assert_eq!(taken.take(other, now), Err(Refusal::DeliveryTaken));
    }

    #[test]
    fn too_late_is_too_late_for_everybody() {
        let late = delivery().expires_at;
        assert_eq!(delivery().state(late), DeliveryState::Expired);
        assert_eq!(
            delivery().take(Uuid::from_u128(1), late),
            Err(Refusal::DeliveryExpired)
        );
        let taken = delivery().take(Uuid::from_u128(1), DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(
            taken.take(Uuid::from_u128(1), late),
            Err(Refusal::DeliveryExpired)
        );
    }
}
