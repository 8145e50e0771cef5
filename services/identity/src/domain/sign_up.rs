//! A sign-up: an account that waits for both contacts to be proved.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::contact::{Email, Phone};
use super::one_time_code::CodePurpose;
use super::person::{CivilIdentity, Person};
use super::refusal::Refusal;
use super::vocabulary::{Channel, DeliveryPreference, Language};

/// A sign-up not finished by then is forgotten.
pub const LIFE: TimeDelta = TimeDelta::hours(24);

/// What a person who signs up says.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub civil: CivilIdentity,
    pub email: Email,
    pub phone: Phone,
    pub language: Language,
}

/// A sign-up under way.
#[derive(Debug, Clone)]
pub struct SignUp {
    pub id: Uuid,
    pub account: NewAccount,
    /// PHC string.
    pub password_hash: String,
    pub email_proved: bool,
    pub phone_proved: bool,
    pub expires_at: DateTime<Utc>,
    /// The person it became.
    pub person_id: Option<Uuid>,
}

impl SignUp {
    /// # Errors
    /// [`Refusal::SignUpNotFound`] when it is over, whichever way.
    pub fn require_open(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        if self.person_id.is_some() || now >= self.expires_at {
            Err(Refusal::SignUpNotFound)
        } else {
            Ok(())
        }
    }

    /// The contact in the form that it is counted by.
    pub fn contact(&self, channel: Channel) -> String {
        match channel {
            Channel::Email => self.account.email.folded(),
            Channel::Phone => self.account.phone.as_str().to_owned(),
        }
    }

    pub fn is_proved(&self, channel: Channel) -> bool {
        match channel {
            Channel::Email => self.email_proved,
            Channel::Phone => self.phone_proved,
        }
    }

    #[must_use]
    pub fn prove(mut self, channel: Channel) -> Self {
        match channel {
            Channel::Email => self.email_proved = true,
            Channel::Phone => self.phone_proved = true,
        }
        self
    }

    /// The person, once both contacts are proved.
    pub fn person(&self, (id, stream_id): (Uuid, Uuid), now: DateTime<Utc>) -> Option<Person> {
        (self.email_proved && self.phone_proved).then(|| Person {
            id,
            stream_id,
            version: 1,
            civil: self.account.civil.clone(),
            proof: None,
            email: self.account.email.clone(),
            phone: self.account.phone.clone(),
            language: self.account.language,
            delivery_preference: DeliveryPreference::Attachment,
            platform_administrator: false,
            totp_enrolled: false,
            created_at: now,
        })
    }
}

/// The code that proves a contact of a sign-up.
pub fn code_purpose(channel: Channel) -> CodePurpose {
    match channel {
        Channel::Email => CodePurpose::SignUpEmail,
        Channel::Phone => CodePurpose::SignUpPhone,
    }
}
