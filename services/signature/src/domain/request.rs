//! A request to have a signature legalised.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::comparison::Comparison;
use crate::domain::destination::{Destination, Mandatary};
use crate::domain::person::Signer;
use crate::domain::placement::Placement;
use crate::domain::receipt::Receipt;
use crate::domain::refusal::Refusal;
use crate::domain::state::State;

/// What is settled when a request is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub applicant_id: Uuid,
    pub document_id: Uuid,
    pub office_id: Uuid,
    /// Code of the kind of document.
    pub kind: String,
    pub destination: Destination,
    pub mandatary: Option<Mandatary>,
    /// Centimes of MAD, in force at the office when the request was opened; 0 for a resubmission.
    pub fee_centimes: i64,
    pub resubmission_of: Option<Uuid>,
}

/// The record of the citizen's confirmation.
#[derive(Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub confirmation_id: Uuid,
    /// Such as `totp`.
    pub method: String,
    pub confirmed_at: DateTime<Utc>,
    /// Compact JWS by identity over purpose, hashes, person, method and time.
    pub jws: String,
    /// SHA-256 of the confirmation subject.
    pub subject_hash: [u8; 32],
    pub specimen_version: i32,
    /// The signer as identity knew them then.
    pub signer: Signer,
}

impl std::fmt::Debug for Confirmation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Confirmation")
            .field("confirmation_id", &self.confirmation_id)
            .field("confirmed_at", &self.confirmed_at)
            .finish_non_exhaustive()
    }
}

/// An officer's standing intent to seal, and the seal once it is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    pub intent_id: Uuid,
    pub officer_id: Uuid,
    pub authorised_at: DateTime<Utc>,
    pub sealed_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
}

/// Everything known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub id: Uuid,
    /// 1 when opened; every transition adds one, and is one event.
    pub version: i64,
    pub state: State,
    pub opening: Opening,
    pub placement: Option<Placement>,
    pub confirmation: Option<Confirmation>,
    pub receipt: Option<Receipt>,
    /// The comparison that stands; taken away when an officer sends the request back.
    pub comparison: Option<Comparison>,
    /// Why an officer sent the request back, until it is accepted again.
    pub return_note: Option<String>,
    pub refusal: Option<Refusal>,
    pub seal: Option<Seal>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// When the state ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A request whose facts agree with each other. Read through [`std::ops::Deref`]; changed by transitions alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalisationRequest(Facts);

/// Facts that cannot be true together: a row that this code did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fact} does not agree with the state of the request")]
pub struct Inconsistency {
    /// Which group of facts.
    pub fact: &'static str,
}

impl std::ops::Deref for LegalisationRequest {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl LegalisationRequest {
    /// Takes facts as they were stored.
    ///
    /// # Errors
    /// [`Inconsistency`] when they cannot be true together.
    pub fn restore(facts: Facts) -> Result<Self, Inconsistency> {
        facts.check()?;
        Ok(Self(facts))
    }

    /// For transitions, which keep the facts consistent.
    pub(super) fn of(facts: Facts) -> Self {
        debug_assert_eq!(facts.check(), Ok(()), "a transition keeps the facts consistent");
        Self(facts)
    }

    pub(super) fn into_facts(self) -> Facts {
        self.0
    }

    /// The version as sent back for optimistic changes.
    pub fn etag(&self) -> String {
        self.version.to_string()
    }
}

impl Facts {
    fn check(&self) -> Result<(), Inconsistency> {
        self.check_filing()?;
        self.check_review()?;
        self.check_seal()?;
        self.check_four_eyes()
    }

    fn check_filing(&self) -> Result<(), Inconsistency> {
        let ended_early = matches!(self.state, State::Cancelled | State::Expired);
        let placed = self.state > State::Draft;
        let confirmed = self.state > State::SignaturePlaced;
        let filed = self.state > State::AwaitingPayment;
        agree("placement", ended_early || self.placement.is_some() == placed)?;
        agree(
            "confirmation",
            ended_early || self.confirmation.is_some() == confirmed,
        )?;
        agree("receipt", ended_early || self.receipt.is_some() == filed)?;
        agree(
            "confirmation",
            self.confirmation.is_none() || self.placement.is_some(),
        )?;
        agree("receipt", self.receipt.is_none() || self.confirmation.is_some())?;
        agree("expires_at", self.expires_at.is_some() == self.state.expires())
    }

    fn check_review(&self) -> Result<(), Inconsistency> {
        let compared = match self.state {
            State::AgentAccepted | State::AwaitingSignature | State::Sealed | State::Delivered => Some(true),
            State::Refused | State::Cancelled => None,
            _ => Some(false),
        };
        agree(
            "comparison",
            compared.is_none_or(|expected| self.comparison.is_some() == expected),
        )?;
        agree("comparison", self.comparison.is_none() || self.receipt.is_some())?;
        agree(
            "refusal",
            self.refusal.is_some() == (self.state == State::Refused),
        )
    }

    fn check_seal(&self) -> Result<(), Inconsistency> {
        let intended = matches!(
            self.state,
            State::AwaitingSignature | State::Sealed | State::Delivered
        );
        agree("seal", self.seal.is_some() == intended)?;
        let sealed = self.seal.as_ref().is_some_and(|seal| seal.sealed_at.is_some());
        let delivered = self.seal.as_ref().is_some_and(|seal| seal.delivered_at.is_some());
        agree(
            "sealed_at",
            sealed == matches!(self.state, State::Sealed | State::Delivered),
        )?;
        agree("delivered_at", delivered == (self.state == State::Delivered))
    }

    /// Four eyes: who seals is neither who compared nor the applicant, and who compared is not the applicant.
    fn check_four_eyes(&self) -> Result<(), Inconsistency> {
        let agent = self.comparison.as_ref().map(|comparison| comparison.agent_id);
        let officer = self.seal.as_ref().map(|seal| seal.officer_id);
        agree("comparison", agent != Some(self.opening.applicant_id))?;
        agree(
            "seal",
            officer.is_none() || (officer != agent && officer != Some(self.opening.applicant_id)),
        )
    }
}

fn agree(fact: &'static str, holds: bool) -> Result<(), Inconsistency> {
    if holds {
        Ok(())
    } else {
        Err(Inconsistency { fact })
    }
}
