//! An order with its lines and parcels.

pub mod fact;
pub mod line;
pub mod parcel;
pub mod progress;
pub mod settled;
pub mod work;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::person::{Applicant, FullName};
use crate::domain::reference::{LineReference, Reference};
use crate::domain::state::{LineState, OrderState, order_state};
use line::Line;
use parcel::Parcel;

/// An order.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub id: Uuid,
    pub reference: Reference,
    /// Who placed it.
    pub person_id: Uuid,
    pub applicant: Applicant,
    pub addressee: FullName,
    pub address: Address,
    /// Who else may receive the parcels.
    pub mandataries: Vec<FullName>,
    /// Destination zone of the fees.
    pub zone: String,
    pub total_centimes: i64,
    /// Once payment knows of it.
    pub payable_id: Option<Uuid>,
    pub pay_before: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Sequence of its newest event.
    pub version: i64,
    /// By ordinal.
    pub lines: Vec<Line>,
    pub parcels: Vec<Parcel>,
}

impl Order {
    /// The state, as the lines give it, and an address that the citizen is to correct.
    pub fn state(&self) -> OrderState {
        if self.lines.iter().any(|line| self.waits_for_address(line)) {
            return OrderState::ActionNeeded;
        }
        let states: Vec<LineState> = self.lines.iter().map(|line| line.state).collect();
        order_state(&states)
    }

    /// The parcels of which the post does not take the address, and that wait for another.
    pub fn parcels_without_address(&self) -> Vec<Uuid> {
        let ids = self.parcels.iter().map(|parcel| parcel.id);
        ids.filter(|id| self.lines_of(*id).any(|line| self.waits_for_address(line)))
            .collect()
    }

    /// The line is made, and the post does not take the address.
    pub fn waits_for_address(&self, line: &Line) -> bool {
        let parcel = line.parcel_id.and_then(|id| self.parcel(id));
        line.state == LineState::Produced && parcel.is_some_and(Parcel::waits_for_address)
    }

    /// A line by its id.
    pub fn line(&self, id: Uuid) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// A parcel by its id.
    pub fn parcel(&self, id: Uuid) -> Option<&Parcel> {
        self.parcels.iter().find(|parcel| parcel.id == id)
    }

    /// The reference of one of its lines.
    pub fn line_reference(&self, line: &Line) -> LineReference {
        LineReference {
            order: self.reference,
            ordinal: line.ordinal,
        }
    }

    /// The lines in a parcel.
    pub fn lines_of(&self, parcel_id: Uuid) -> impl Iterator<Item = &Line> {
        self.lines
            .iter()
            .filter(move |line| line.parcel_id == Some(parcel_id))
    }
}
