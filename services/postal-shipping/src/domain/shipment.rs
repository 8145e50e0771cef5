//! A shipment and what may be done with it. Commands take the shipment as it stands and give it as it stands after; where
//! it is follows from the fold (`tracking`).

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use wathiq_chassis::civil_date;

use super::carrier_event::CarrierEvent;
use super::code_table::CodeTable;
use super::delivery::Recipients;
use super::name::PartyName;
use super::party::{Fault, Party};
use super::tracking::{self, Basis, ClaimStanding, RecordedEvent, Tracking};
use super::tracking_id::TrackingId;
use super::vocabulary::{Exception, Product, Source, State};

/// People write times to the minute.
const WRITTEN_TO: TimeDelta = TimeDelta::minutes(1);

/// Everything but the carrier's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    pub id: Uuid,
    pub version: i64,
    /// The service that it belongs to, and that service's name for it.
    pub owner: String,
    pub owner_reference: String,
    /// SHA-256 of what it was created with.
    pub content: [u8; 32],
    pub office_id: Uuid,
    pub product: Product,
    pub tracking_id: TrackingId,
    pub sender: Party,
    pub addressee: Party,
    pub mandataries: Vec<PartyName>,
    pub sheets: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub handover: Option<Handover>,
    pub cancelled_at: Option<DateTime<Utc>>,
    /// The latest one.
    pub claim: Option<Claim>,
    /// Nothing was heard within the time.
    pub silent: bool,
    /// Time of the latest event of the carrier.
    pub last_event_at: Option<DateTime<Utc>>,
    pub tracking: Tracking,
}

/// That the office gave it to the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handover {
    pub deposit_list_id: Uuid,
    pub at: DateTime<Utc>,
}

/// A claim at the carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub opened_at: DateTime<Utc>,
    pub note: String,
    pub settlement: Option<Settlement>,
}

/// What the carrier answered to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub at: DateTime<Utc>,
    /// The carrier admits the loss; else the item was found.
    pub lost: bool,
    pub note: String,
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("shipment {id} is {}, which does not allow this", .state.as_str())]
    State { id: Uuid, state: State },
    #[error("shipment {id} is neither silent nor lost: there is nothing to claim yet")]
    ClaimNotDue { id: Uuid },
    #[error("shipment {id} was not handed over to the post: hand it over first")]
    NotHandedOver { id: Uuid },
}

impl Refusal {
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::State { .. } => "SHIPMENT_STATE",
            Self::ClaimNotDue { .. } => "CLAIM_NOT_DUE",
            Self::NotHandedOver { .. } => "SHIPMENT_NOT_HANDED_OVER",
        }
    }
}

/// Why what a person typed is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTyped {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The time of the event.
    #[error("the time {}", .0.description)]
    Time(Fault),
}

impl From<Fault> for NotTyped {
    fn from(fault: Fault) -> Self {
        Self::Time(fault)
    }
}

/// What a new shipment is made of.
#[derive(Debug, Clone)]
pub struct Draft {
    pub owner: String,
    pub owner_reference: String,
    pub content: [u8; 32],
    pub office_id: Uuid,
    pub product: Product,
    pub sender: Party,
    pub addressee: Party,
    pub mandataries: Vec<PartyName>,
    pub sheets: i32,
}

impl Shipment {
    /// A shipment with its number, at the office.
    pub fn new(id: Uuid, tracking_id: TrackingId, draft: Draft, now: DateTime<Utc>) -> Self {
        Self {
            id,
            version: 1,
            owner: draft.owner,
            owner_reference: draft.owner_reference,
            content: draft.content,
            office_id: draft.office_id,
            product: draft.product,
            tracking_id,
            sender: draft.sender,
            addressee: draft.addressee,
            mandataries: draft.mandataries,
            sheets: draft.sheets,
            created_at: now,
            updated_at: now,
            handover: None,
            cancelled_at: None,
            claim: None,
            silent: false,
            last_event_at: None,
            tracking: Tracking {
                state: State::LabelPrinted,
                attempts: 0,
                held_until: None,
                proof: None,
                exception: None,
            },
        }
    }

    pub fn state(&self) -> State {
        self.tracking.state
    }

    /// Who may receive it.
    pub fn recipients(&self) -> Recipients {
        Recipients {
            addressee: self.addressee.name.clone(),
            mandataries: self.mandataries.clone(),
        }
    }

    /// What stands beside the carrier's events.
    pub fn basis(&self) -> Basis {
        let claim = match self.claim.as_ref().map(|claim| claim.settlement.as_ref()) {
            Some(None) => ClaimStanding::Open,
            Some(Some(settlement)) if settlement.lost => ClaimStanding::Lost,
            Some(Some(_)) | None => ClaimStanding::None,
        };
        Basis {
            created_at: self.created_at,
            handed_over: self.handover.is_some(),
            cancelled: self.cancelled_at.is_some(),
            claim,
            silent: self.silent,
        }
    }

    /// Gives it to the post. What the carrier scanned before the office said so stays as the carrier said it.
    ///
    /// # Errors
    /// [`Refusal::State`] when it was handed over or withdrawn before.
    pub fn hand_over(
        self,
        handover: Handover,
        events: &[RecordedEvent],
        codes: &CodeTable,
    ) -> Result<Self, Refusal> {
        if self.handover.is_some() || self.cancelled_at.is_some() {
            return Err(self.not_in_this_state());
        }
        let after = Self {
            handover: Some(handover),
            ..self
        };
        Ok(after.next(events, codes, handover.at))
    }

    /// Withdraws it while it is at the office. Its number is spent.
    ///
    /// # Errors
    /// [`Refusal::State`].
    pub fn cancel(
        self,
        events: &[RecordedEvent],
        codes: &CodeTable,
        now: DateTime<Utc>,
    ) -> Result<Self, Refusal> {
        if self.state() != State::LabelPrinted {
            return Err(self.not_in_this_state());
        }
        let after = Self {
            cancelled_at: Some(now),
            ..self
        };
        Ok(after.next(events, codes, now))
    }

    /// Takes in all events so far, the new one among them.
    #[must_use]
    pub fn track(
        self,
        events: &[RecordedEvent],
        codes: &CodeTable,
        silence: &SilenceLimits,
        now: DateTime<Utc>,
    ) -> Self {
        let basis = self.basis();
        let last_event_at = events
            .iter()
            .filter(|recorded| basis.meaning(&recorded.event, codes).is_some())
            .map(|recorded| recorded.event.event_time)
            .max();
        let heard = Self {
            last_event_at,
            ..self
        };
        let silent = heard.silent && heard.has_been_silent(silence, now);
        Self { silent, ..heard }.next(events, codes, now)
    }

    /// Notes that nothing was heard within the time; none where that is not so, or noted already.
    pub fn fall_silent(
        self,
        events: &[RecordedEvent],
        codes: &CodeTable,
        silence: &SilenceLimits,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let due = !self.silent && self.state().is_on_its_way() && self.has_been_silent(silence, now);
        due.then(|| Self { silent: true, ..self }.next(events, codes, now))
    }

    /// Opens a claim at the carrier.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn open_claim(
        self,
        note: String,
        codes: &CodeTable,
        events: &[RecordedEvent],
        now: DateTime<Utc>,
    ) -> Result<Self, Refusal> {
        let claimed_before = self
            .claim
            .as_ref()
            .is_some_and(|claim| claim.settlement.as_ref().is_none_or(|settled| settled.lost));
        match self.state() {
            state if claimed_before || !(state.is_on_its_way() || state == State::Lost) => {
                Err(self.not_in_this_state())
            }
            State::Lost => Ok(()),
            _ if self.silent => Ok(()),
            _ => Err(Refusal::ClaimNotDue { id: self.id }),
        }?;
        let claim = Claim {
            opened_at: now,
            note,
            settlement: None,
        };
        let after = Self {
            claim: Some(claim),
            silent: false,
            ..self
        };
        Ok(after.next(events, codes, now))
    }

    /// Records what the carrier answered.
    ///
    /// # Errors
    /// [`Refusal::State`] when no claim is open.
    pub fn settle_claim(
        self,
        settlement: Settlement,
        codes: &CodeTable,
        events: &[RecordedEvent],
    ) -> Result<Self, Refusal> {
        let now = settlement.at;
        let refused = self.not_in_this_state();
        let claim = match self.claim {
            Some(claim) if claim.settlement.is_none() => Claim {
                settlement: Some(settlement),
                ..claim
            },
            _ => return Err(refused),
        };
        let after = Self {
            claim: Some(claim),
            ..self
        };
        Ok(after.next(events, codes, now))
    }

    /// Checks an event that a person types from the carrier's paper: nobody tells of the way of what is still at the office, and what was
    /// typed alone proves no hand-over.
    ///
    /// # Errors
    /// [`NotTyped`].
    pub fn check_typed(
        &self,
        event: &CarrierEvent,
        events: &[RecordedEvent],
        codes: &CodeTable,
        now: DateTime<Utc>,
    ) -> Result<(), NotTyped> {
        let basis = self.basis();
        let by_carrier = events
            .iter()
            .filter(|recorded| recorded.source != Source::Scan)
            .filter(|recorded| basis.meaning(&recorded.event, codes).is_some())
            .map(|recorded| recorded.event.event_time);
        let handed_over = self.handover.map(|handover| handover.at);
        let posted_at = handed_over.into_iter().chain(by_carrier).min();
        let posted_at = posted_at.ok_or(Refusal::NotHandedOver { id: self.id })?;
        if event.event_time > now {
            Err(Fault::new("IN_FUTURE", "has not happened yet").into())
        } else if event.event_time + WRITTEN_TO <= posted_at {
            Err(Fault::new(
                "BEFORE_HAND_OVER",
                "is before the parcel was handed over to the post",
            )
            .into())
        } else {
            Ok(())
        }
    }

    /// When it was last heard of: an event, the answer to a claim, or the office's own word.
    pub fn last_sign(&self) -> DateTime<Utc> {
        let settled = self.claim.as_ref().and_then(|claim| claim.settlement.as_ref());
        [
            self.handover.map(|handover| handover.at),
            self.last_event_at,
            settled.map(|settled| settled.at),
        ]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(self.created_at)
    }

    /// What is held for collection is not expected to be heard of before its last day has passed.
    fn has_been_silent(&self, silence: &SilenceLimits, now: DateTime<Utc>) -> bool {
        let since = now - silence.of(self.product);
        let held = self.tracking.held_until;
        self.last_sign() < since && held.is_none_or(|last_day| last_day < civil_date(since))
    }

    fn next(self, events: &[RecordedEvent], codes: &CodeTable, now: DateTime<Utc>) -> Self {
        let tracking = tracking::fold(self.basis(), events, &self.recipients(), codes);
        Self {
            version: self.version + 1,
            updated_at: now,
            tracking,
            ..self
        }
    }

    fn not_in_this_state(&self) -> Refusal {
        Refusal::State {
            id: self.id,
            state: self.state(),
        }
    }

    /// The exception that this shipment has and `before` had not.
    pub fn new_exception(&self, before: Option<Exception>) -> Option<Exception> {
        self.tracking
            .exception
            .filter(|exception| Some(*exception) != before)
    }
}

/// After how long without a word a shipment is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SilenceLimits {
    pub domestic: TimeDelta,
    pub international: TimeDelta,
}

impl SilenceLimits {
    pub const fn of(&self, product: Product) -> TimeDelta {
        match product {
            Product::RegisteredDomestic => self.domestic,
            Product::RegisteredInternational => self.international,
        }
    }
}

#[cfg(test)]
mod tests;
