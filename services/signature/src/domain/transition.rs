//! The commands on a request, as pure functions: each takes the request and gives the next one and the fact it brought about.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::comparison::{Comparison, ComparisonResult};
use crate::domain::fact::{Commitment, Fact, RegisterNumber};
use crate::domain::placement::Placement;
use crate::domain::receipt::Receipt;
use crate::domain::refusal::{Level, Refusal};
use crate::domain::request::{Confirmation, Facts, LegalisationRequest, Opening, Seal};
use crate::domain::state::{Command, State};

/// How long a request may rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Unconfirmed, since the last change.
    pub unconfirmed: TimeDelta,
    /// Waiting for payment.
    pub payment: TimeDelta,
}

/// Why a command is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    #[error("a request in state {} does not allow: {}", .state.as_str(), .command.as_str())]
    State { state: State, command: Command },
    #[error("the applicant, the agent who compares and the officer who seals must be three persons")]
    FourEyes,
    #[error("a signature that differs from the specimen cannot be accepted")]
    ComparisonDiffers,
    #[error("the specimen compared is not the one that the applicant confirmed")]
    SpecimenMismatch,
    #[error("the request has not expired")]
    NotExpired,
    #[error("the intent is not the one that stands")]
    IntentMismatch,
}

type Transition = Result<(LegalisationRequest, Fact), TransitionError>;

impl LegalisationRequest {
    /// Opens a request. → DRAFT
    pub fn open(id: Uuid, opening: Opening, lifetimes: &Lifetimes, now: DateTime<Utc>) -> (Self, Fact) {
        let facts = Facts {
            id,
            version: 1,
            state: State::Draft,
            opening,
            placement: None,
            confirmation: None,
            receipt: None,
            comparison: None,
            return_note: None,
            refusal: None,
            seal: None,
            created_at: now,
            updated_at: now,
            expires_at: Some(now + lifetimes.unconfirmed),
        };
        (Self::of(facts), Fact::Created)
    }

    /// Places or moves the citizen's signature. The placement has been checked against the document.
    ///
    /// # Errors
    /// [`TransitionError::State`].
    pub fn place_signature(
        self,
        placement: Placement,
        lifetimes: &Lifetimes,
        now: DateTime<Utc>,
    ) -> Transition {
        let mut facts = self.step(Command::PlaceSignature, now)?;
        facts.placement = Some(placement);
        facts.expires_at = Some(now + lifetimes.unconfirmed);
        Ok((Self::of(facts), Fact::SignaturePlaced))
    }

    /// Keeps the citizen's confirmation.
    ///
    /// # Errors
    /// [`TransitionError::State`].
    pub fn confirm(self, confirmation: Confirmation, now: DateTime<Utc>) -> Transition {
        let mut facts = self.step(Command::Confirm, now)?;
        facts.confirmation = Some(confirmation);
        Ok((Self::of(facts), Fact::Confirmed))
    }

    /// Waits for the fee.
    ///
    /// # Errors
    /// [`TransitionError::State`].
    pub fn await_payment(self, lifetimes: &Lifetimes, now: DateTime<Utc>) -> Transition {
        let mut facts = self.step(Command::AwaitPayment, now)?;
        facts.expires_at = Some(now + lifetimes.payment);
        Ok((Self::of(facts), Fact::PaymentAwaited))
    }

    /// Reaches the office.
    ///
    /// # Errors
    /// [`TransitionError::State`].
    pub fn submit(self, receipt: Receipt, now: DateTime<Utc>) -> Transition {
        let mut facts = self.step(Command::Submit, now)?;
        facts.receipt = Some(receipt);
        Ok((Self::of(facts), Fact::Submitted))
    }

    /// The citizen withdraws.
    ///
    /// # Errors
    /// [`TransitionError::State`].
    pub fn cancel(self, now: DateTime<Utc>) -> Transition {
        let facts = self.step(Command::Cancel, now)?;
        Ok((Self::of(facts), Fact::Cancelled))
    }

    /// The state ends by itself.
    ///
    /// # Errors
    /// [`TransitionError::NotExpired`] before its time, or [`TransitionError::State`].
    pub fn expire(self, now: DateTime<Utc>) -> Transition {
        let state_before = self.state;
        if self.expires_at.is_some_and(|at| now < at) {
            return Err(TransitionError::NotExpired);
        }
        let facts = self.step(Command::Expire, now)?;
        Ok((Self::of(facts), Fact::Expired { state_before }))
    }

    /// An agent accepts after comparing.
    ///
    /// # Errors
    /// [`TransitionError::State`], [`TransitionError::FourEyes`], [`TransitionError::SpecimenMismatch`] or
    /// [`TransitionError::ComparisonDiffers`].
    pub fn accept(self, comparison: Comparison, now: DateTime<Utc>) -> Transition {
        let mut facts = self.step(Command::Accept, now)?;
        if comparison.agent_id == facts.opening.applicant_id {
            return Err(TransitionError::FourEyes);
        }
        check_specimen(&facts, &comparison)?;
        if comparison.result == ComparisonResult::Differs {
            return Err(TransitionError::ComparisonDiffers);
        }
        facts.comparison = Some(comparison);
        facts.return_note = None;
        Ok((Self::of(facts), Fact::Accepted))
    }

    /// An officer sends the request back to the agents.
    ///
    /// # Errors
    /// [`TransitionError::State`] or [`TransitionError::FourEyes`].
    pub fn send_back(self, officer_id: Uuid, note: String, now: DateTime<Utc>) -> Transition {
        let mut facts = self.step(Command::Return, now)?;
        check_officer(&facts, officer_id)?;
        facts.comparison = None;
        facts.return_note = Some(note);
        Ok((Self::of(facts), Fact::Returned))
    }

    /// The office refuses; an agent may add the comparison that led to it.
    ///
    /// # Errors
    /// [`TransitionError::State`], [`TransitionError::FourEyes`] or [`TransitionError::SpecimenMismatch`].
    pub fn refuse(self, refusal: Refusal, comparison: Option<Comparison>, now: DateTime<Utc>) -> Transition {
        let command = match refusal.level {
            Level::Agent => Command::RefuseByAgent,
            Level::Officer => Command::RefuseByOfficer,
        };
        let mut facts = self.step(command, now)?;
        match refusal.level {
            Level::Agent if refusal.refused_by == facts.opening.applicant_id => {
                return Err(TransitionError::FourEyes);
            }
            Level::Agent => {}
            Level::Officer => check_officer(&facts, refusal.refused_by)?,
        }
        if let Some(comparison) = comparison {
            check_specimen(&facts, &comparison)?;
            facts.comparison = Some(comparison);
        }
        facts.refusal = Some(refusal);
        Ok((Self::of(facts), Fact::Refused))
    }

    /// An officer's intent to seal is written into the register.
    ///
    /// # Errors
    /// [`TransitionError::State`] or [`TransitionError::FourEyes`].
    pub fn authorise_seal(
        self,
        officer_id: Uuid,
        intent_id: Uuid,
        register: RegisterNumber,
        now: DateTime<Utc>,
    ) -> Transition {
        let mut facts = self.step(Command::AuthoriseSeal, now)?;
        check_officer(&facts, officer_id)?;
        facts.seal = Some(Seal {
            intent_id,
            officer_id,
            authorised_at: now,
            sealed_at: None,
            delivered_at: None,
        });
        Ok((Self::of(facts), Fact::SealAuthorised { intent_id, register }))
    }

    /// The standing intent is ended without a seal; the request is with the officers again.
    ///
    /// # Errors
    /// [`TransitionError::State`] or [`TransitionError::IntentMismatch`].
    pub fn annul_intent(self, intent_id: Uuid, register: RegisterNumber, now: DateTime<Utc>) -> Transition {
        let mut facts = self.step(Command::AnnulIntent, now)?;
        check_intent(&facts, intent_id)?;
        facts.seal = None;
        Ok((Self::of(facts), Fact::SealIntentAnnulled { intent_id, register }))
    }

    /// The seal is complete and stored.
    ///
    /// # Errors
    /// [`TransitionError::State`] or [`TransitionError::IntentMismatch`].
    pub fn seal(
        self,
        intent_id: Uuid,
        register: RegisterNumber,
        level: &'static str,
        commitments: Vec<Commitment>,
        now: DateTime<Utc>,
    ) -> Transition {
        let mut facts = self.step(Command::Seal, now)?;
        check_intent(&facts, intent_id)?;
        if let Some(seal) = &mut facts.seal {
            seal.sealed_at = Some(now);
        }
        Ok((
            Self::of(facts),
            Fact::Sealed {
                intent_id,
                register,
                level,
                commitments,
            },
        ))
    }

    /// The sealed document is at the citizen's disposal.
    ///
    /// # Errors
    /// [`TransitionError::State`].
    pub fn deliver(self, now: DateTime<Utc>) -> Transition {
        let mut facts = self.step(Command::Deliver, now)?;
        if let Some(seal) = &mut facts.seal {
            seal.delivered_at = Some(now);
        }
        Ok((Self::of(facts), Fact::Delivered))
    }

    fn step(self, command: Command, now: DateTime<Utc>) -> Result<Facts, TransitionError> {
        let mut facts = self.into_facts();
        let state = facts.state;
        facts.state = state
            .after(command)
            .ok_or(TransitionError::State { state, command })?;
        facts.version += 1;
        facts.updated_at = now;
        if !facts.state.expires() {
            facts.expires_at = None;
        }
        Ok(facts)
    }
}

/// What is compared is the specimen that the applicant's confirmation names, whatever was deposited since.
fn check_specimen(facts: &Facts, comparison: &Comparison) -> Result<(), TransitionError> {
    let confirmed = facts
        .confirmation
        .as_ref()
        .map(|confirmation| confirmation.specimen_version);
    if confirmed == Some(comparison.specimen_version) {
        return Ok(());
    }
    Err(TransitionError::SpecimenMismatch)
}

fn check_officer(facts: &Facts, officer_id: Uuid) -> Result<(), TransitionError> {
    let agent_id = facts.comparison.as_ref().map(|comparison| comparison.agent_id);
    if officer_id == facts.opening.applicant_id || Some(officer_id) == agent_id {
        return Err(TransitionError::FourEyes);
    }
    Ok(())
}

fn check_intent(facts: &Facts, intent_id: Uuid) -> Result<(), TransitionError> {
    if facts
        .seal
        .as_ref()
        .is_some_and(|seal| seal.intent_id == intent_id)
    {
        Ok(())
    } else {
        Err(TransitionError::IntentMismatch)
    }
}

#[cfg(test)]
mod tests;
