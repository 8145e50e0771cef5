//! Where a shipment is: a fold over everything the carrier has said, in order of event time.
//!
//! Events come late, twice and out of order. The fold sorts them by what they say, never by when they came, so that any
//! order of arrival leads to the same state.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::carrier_event::{CLOCK_SKEW, CarrierEvent};
use super::code_table::{Code, CodeTable};
use super::delivery::{Proof, Recipients};
use super::vocabulary::{Exception, Relation, Source, State};

/// An event as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    pub id: Uuid,
    pub event: CarrierEvent,
    pub source: Source,
    pub received_at: DateTime<Utc>,
    /// Of the event; computed once, since every fold sorts by it.
    digest: [u8; 32],
}

impl RecordedEvent {
    pub fn new(id: Uuid, event: CarrierEvent, source: Source, received_at: DateTime<Utc>) -> Self {
        Self {
            id,
            digest: event.digest(),
            event,
            source,
            received_at,
        }
    }

    /// By which the event is known again.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// What stands beside the carrier's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis {
    /// Of the shipment.
    pub created_at: DateTime<Utc>,
    pub handed_over: bool,
    pub cancelled: bool,
    pub claim: ClaimStanding,
    /// Nothing was heard within the time.
    pub silent: bool,
}

impl Basis {
    /// What an event means for the shipment; none where it moves nothing: its code is unknown, or it is older than the shipment.
    pub fn meaning<'a>(&self, event: &CarrierEvent, codes: &'a CodeTable) -> Option<&'a Code> {
        let is_older = event.event_time < self.created_at - CLOCK_SKEW;
        codes.meaning(&event.code).filter(|_| !is_older)
    }
}

/// How a claim at the carrier stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimStanding {
    /// None, or one that found the item again.
    None,
    Open,
    /// The carrier admitted the loss.
    Lost,
}

/// The fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracking {
    pub state: State,
    /// Unsuccessful attempts, by their times.
    pub attempts: u32,
    /// While held: last day of collection.
    pub held_until: Option<NaiveDate>,
    pub proof: Option<Proof>,
    pub exception: Option<Exception>,
}

/// One step, for whoever looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    pub recorded: &'a RecordedEvent,
    /// None where the event moved nothing.
    pub state: Option<State>,
}

/// What the fold has gathered so far.
#[derive(Default)]
struct Gathered {
    attempts: BTreeSet<DateTime<Utc>>,
    held_until: Option<NaiveDate>,
    proof: Option<Proof>,
    contradictory: bool,
    /// A delivery to somebody who is neither the addressee nor a mandatary was told.
    to_other: bool,
    undocumented: bool,
    /// Something with a meaning was said.
    any_known: bool,
}

/// Folds the events of a shipment.
pub fn fold(basis: Basis, events: &[RecordedEvent], recipients: &Recipients, codes: &CodeTable) -> Tracking {
    fold_steps(basis, events, recipients, codes).0
}

/// As [`fold`], with each event in order and what it moved.
pub fn fold_steps<'a>(
    basis: Basis,
    events: &'a [RecordedEvent],
    recipients: &Recipients,
    codes: &CodeTable,
) -> (Tracking, Vec<Step<'a>>) {
    let mut state = if basis.handed_over {
        State::HandedOver
    } else {
        State::LabelPrinted
    };
    let mut gathered = Gathered::default();
    let mut steps = Vec::with_capacity(events.len());
    for recorded in in_order(events, codes) {
        let meaning = basis.meaning(&recorded.event, codes);
        let moved = meaning.and_then(|meaning| gathered.apply(state, &recorded.event, meaning, recipients));
        state = moved.unwrap_or(state);
        steps.push(Step {
            recorded,
            state: moved,
        });
    }
    (gathered.finish(basis, state), steps)
}

/// By event time; events of one instant by their place in the usual course, then by content, so that the order is the
/// same however they came.
fn in_order<'a>(events: &'a [RecordedEvent], codes: &CodeTable) -> Vec<&'a RecordedEvent> {
    let mut ordered: Vec<_> = events.iter().collect();
    ordered.sort_by_cached_key(|recorded| {
        let event = &recorded.event;
        let rank = codes.meaning(&event.code).map_or(0, |meaning| meaning.rank);
        (event.event_time, rank, recorded.digest)
    });
    ordered
}

/// Where an event leads that is of the way back; none for any other. Scans on the way back are of the same kinds as those on the way out,
/// and whoever takes it there and is not a recipient is the sender.
fn on_the_way_back(
    state: State,
    told: State,
    event: &CarrierEvent,
    recipients: &Recipients,
) -> Option<State> {
    let name = event.recipient_name.as_deref();
    let takes_it_back = || name.is_some_and(|name| recipients.relation(name) == Relation::Other);
    match (state, told) {
        (State::Returning | State::Returned, State::Delivered) if takes_it_back() => Some(State::Returned),
        (State::Returning, told) if !told.is_final() => Some(State::Returning),
        _ => None,
    }
}

impl Gathered {
    /// The state an event leads to; none where it moves nothing.
    fn apply(
        &mut self,
        state: State,
        event: &CarrierEvent,
        meaning: &Code,
        recipients: &Recipients,
    ) -> Option<State> {
        self.any_known = true;
        let told = meaning.leads_to(event.action_code.as_deref(), event.held_until.is_some());
        let on_the_way_back = on_the_way_back(state, told, event, recipients);
        let next = on_the_way_back.unwrap_or(told);
        if meaning.attempt && on_the_way_back.is_none() {
            self.attempts.insert(event.event_time);
        }
        if state.has_arrived() {
            self.contradictory |= next != state;
            if next == State::Delivered {
                self.tell_again(event, recipients);
            }
            return None;
        }
        let proof = if next == State::Delivered {
            let Some(proof) = recipients.proof(event) else {
                self.undocumented = true;
                return None;
            };
            self.to_other |= proof.relation == Relation::Other;
            Some(proof)
        } else {
            None
        };
        self.contradictory |= state == State::Lost && next != State::Lost;
        self.proof = proof;
        self.held_until = event.held_until.filter(|_| next == State::HeldForCollection);
        Some(next)
    }

    /// A delivery told once more, perhaps with another's name.
    fn tell_again(&mut self, event: &CarrierEvent, recipients: &Recipients) {
        if let (Some(proof), Some(name)) = (&self.proof, &event.recipient_name) {
            let relation = recipients.relation(name);
            self.to_other |= relation == Relation::Other;
            self.contradictory |= relation != proof.relation;
        }
    }

    fn finish(mut self, basis: Basis, mut state: State) -> Tracking {
        match basis.claim {
            ClaimStanding::Open if !state.has_arrived() => state = State::Claimed,
            ClaimStanding::Lost if state.has_arrived() => self.contradictory = true,
            ClaimStanding::Lost => state = State::Lost,
            ClaimStanding::Open | ClaimStanding::None => {}
        }
        if basis.cancelled {
            self.contradictory |= self.any_known;
            state = State::Cancelled;
        }
        let proof = self.proof.take().filter(|_| state == State::Delivered);
        Tracking {
            state,
            attempts: u32::try_from(self.attempts.len()).unwrap_or(u32::MAX),
            held_until: self.held_until.filter(|_| state == State::HeldForCollection),
            exception: self.exception(basis, state),
            proof,
        }
    }

    /// Who has the papers of somebody else weighs more than what order they came in: a warning about the recipient hides every other.
    fn exception(&self, basis: Basis, state: State) -> Option<Exception> {
        if self.to_other {
            Some(Exception::DeliveredToOther)
        } else if self.undocumented && !state.has_arrived() {
            Some(Exception::DeliveredWithoutDocument)
        } else if self.contradictory {
            Some(Exception::ContradictoryEvents)
        } else if basis.silent && state.is_on_its_way() {
            Some(Exception::Silent)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
