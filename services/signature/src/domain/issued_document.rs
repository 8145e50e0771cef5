//! A document that another service made, and how far its seal has come.
//!
//! It goes WAITING_FOR_OFFICER → SIGNED → SEALED. Only an officer leads on from the first, with a confirmation of the digest; from
//! SIGNED a job goes on by itself, because a time-stamp needs no key. Its owner may withdraw it before the key has signed; what
//! was signed and cannot become a valid seal has failed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::commitment::Salt;
use crate::domain::intent::{Hindrance, Prepared};
use crate::domain::verification_code::VerificationCode;

/// Largest file taken, in bytes.
pub const MAX_BYTES: usize = 5 * 1024 * 1024;

/// So often a job finds that a seal cannot be finished before the document has failed.
pub const FAILING_ATTEMPTS: i32 = 3;

/// Whose key seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealMode {
    /// The officer's own, with the officer's PIN.
    OfficerKey,
    /// The institution's, by a recorded decision.
    ElectronicSeal,
}

impl SealMode {
    const ALL: [Self; 2] = [Self::OfficerKey, Self::ElectronicSeal];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OfficerKey => "OFFICER_KEY",
            Self::ElectronicSeal => "ELECTRONIC_SEAL",
        }
    }

    /// Reads [`SealMode::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// What the document is, for whoever verifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    pub ar: String,
    pub fr: String,
    pub en: String,
}

/// What was deposited; never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// The peer that deposited it.
    pub owner: String,
    /// The owner's name for it.
    pub owner_reference: String,
    pub office_id: Uuid,
    /// The owner's code of the kind.
    pub kind: String,
    pub title: Title,
    pub seal_mode: SealMode,
    pub code: VerificationCode,
    /// The officer whom the document names. Any officer of the office seals one that names nobody.
    pub signing_officer: Option<Uuid>,
    /// Of the file as deposited.
    pub source_sha256: [u8; 32],
}

/// The key's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The confirmation that bound the officer to the digest.
    pub confirmation_id: Uuid,
    pub credential_id: Uuid,
    pub signature_value: Vec<u8>,
    pub signed_at: DateTime<Utc>,
}

/// The sealed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedFile {
    pub object_key: String,
    pub size_bytes: i64,
    pub sha256: [u8; 32],
    /// Commitment of `sha256` under the document's salt.
    pub commitment: [u8; 32],
    /// PAdES level, such as `B-T`.
    pub level: String,
    pub sealed_at: DateTime<Utc>,
}

/// How far a document has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    WaitingForOfficer,
    Signed(Signed),
    Sealed(Signed, SealedFile),
    Withdrawn,
    Failed(Signed),
}

/// The name of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuedState {
    WaitingForOfficer,
    Signed,
    Sealed,
    Withdrawn,
    Failed,
}

impl IssuedState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::WaitingForOfficer,
        Self::Signed,
        Self::Sealed,
        Self::Withdrawn,
        Self::Failed,
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaitingForOfficer => "WAITING_FOR_OFFICER",
            Self::Signed => "SIGNED",
            Self::Sealed => "SEALED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Failed => "FAILED",
        }
    }

    /// Reads [`IssuedState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A document of another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedDocument {
    pub id: Uuid,
    pub deposit: Deposit,
    pub salt: Salt,
    /// The file with a hole for its signature; prepared when it was deposited.
    pub prepared: Prepared,
    pub stage: Stage,
    /// What the last try to finish met.
    pub hindrance: Option<Hindrance>,
    /// How often a job has tried to finish it.
    pub attempts: i32,
}

/// Why a document takes no part in a batch, or is not withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssuedError {
    #[error("the document is sealed already")]
    Sealed,
    #[error("the document names another officer: they seal it, or it is prepared again under your name")]
    OtherOfficer,
    #[error("the document was withdrawn")]
    Withdrawn,
    #[error("the seal of the document has failed")]
    Failed,
}

impl IssuedError {
    /// The stable code.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Sealed => "DOCUMENT_SEALED",
            Self::OtherOfficer => "OTHER_OFFICER_NAMED",
            Self::Withdrawn => "DOCUMENT_WITHDRAWN",
            Self::Failed => "DOCUMENT_FAILED",
        }
    }
}

/// What an act with a confirmation does with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The key signs it.
    ToSign,
    /// Signed already, by an earlier try of the same act.
    SignedBefore,
}

impl IssuedDocument {
    /// The name of its stage.
    pub fn state(&self) -> IssuedState {
        match &self.stage {
            Stage::WaitingForOfficer => IssuedState::WaitingForOfficer,
            Stage::Signed(_) => IssuedState::Signed,
            Stage::Sealed(..) => IssuedState::Sealed,
            Stage::Withdrawn => IssuedState::Withdrawn,
            Stage::Failed(_) => IssuedState::Failed,
        }
    }

    /// The key's answer, where there is one.
    pub fn signed(&self) -> Option<&Signed> {
        match &self.stage {
            Stage::Signed(signed) | Stage::Sealed(signed, _) | Stage::Failed(signed) => Some(signed),
            Stage::WaitingForOfficer | Stage::Withdrawn => None,
        }
    }

    /// The sealed file, where there is one.
    pub fn sealed(&self) -> Option<&SealedFile> {
        match &self.stage {
            Stage::Sealed(_, file) => Some(file),
            _ => None,
        }
    }

    /// The part it takes in an act with this confirmation, by this officer.
    ///
    /// # Errors
    /// [`IssuedError`].
    pub fn part_in(&self, confirmation_id: Uuid, officer: Uuid) -> Result<Part, IssuedError> {
        let ours = self
            .signed()
            .is_some_and(|signed| signed.confirmation_id == confirmation_id);
        match &self.stage {
            Stage::WaitingForOfficer
                if self.deposit.signing_officer.is_some_and(|named| named != officer) =>
            {
                Err(IssuedError::OtherOfficer)
            }
            Stage::WaitingForOfficer => Ok(Part::ToSign),
            Stage::Signed(_) | Stage::Sealed(..) if ours => Ok(Part::SignedBefore),
            Stage::Signed(_) | Stage::Sealed(..) => Err(IssuedError::Sealed),
            Stage::Withdrawn => Err(IssuedError::Withdrawn),
            Stage::Failed(_) => Err(IssuedError::Failed),
        }
    }

    /// Whether its owner may take it back; `false` where that was done before.
    ///
    /// # Errors
    /// [`IssuedError`] once the key has signed.
    pub fn may_withdraw(&self) -> Result<bool, IssuedError> {
        match &self.stage {
            Stage::WaitingForOfficer => Ok(true),
            Stage::Withdrawn => Ok(false),
            Stage::Signed(_) | Stage::Sealed(..) => Err(IssuedError::Sealed),
            Stage::Failed(_) => Err(IssuedError::Failed),
        }
    }

    /// What happens next, for people and programs; empty at the end.
    pub fn progress(&self) -> &'static str {
        match (&self.stage, self.hindrance) {
            (Stage::WaitingForOfficer, _) => "WAITING_FOR_OFFICER",
            (Stage::Signed(_), Some(hindrance)) => hindrance.progress(),
            (Stage::Signed(_), None) => Hindrance::TimeStampMissing.progress(),
            (Stage::Sealed(..) | Stage::Withdrawn | Stage::Failed(_), _) => "",
        }
    }

    /// What happens when a job finds that the seal cannot be finished: the document has failed for good, or is tried again.
    pub fn fails_with(&self, hindrance: Hindrance) -> bool {
        hindrance == Hindrance::Unfinishable && self.attempts >= FAILING_ATTEMPTS
    }
}

#[cfg(test)]
mod tests;
