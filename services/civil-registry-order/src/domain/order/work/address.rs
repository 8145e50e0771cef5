//! The address: what the post does not take is corrected by the citizen.

use uuid::Uuid;

use super::{Work, WorkError};
use crate::domain::address::Address;
use crate::domain::order::fact::{Fact, OutwardKind};
use crate::domain::order::parcel::{ADDRESS_REFUSED, AddressFault};
use crate::domain::state::LineState;

impl Work<'_> {
    /// The post does not take the address of a parcel: the citizen is asked for another, in the time for corrections. A repeat changes nothing.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn address_refused(&mut self, parcel_id: Uuid, faults: Vec<AddressFault>) -> Result<(), WorkError> {
        let deadline = self.now + self.terms.correction;
        let Some(parcel) = self.parcel_mut(parcel_id) else {
            return Ok(());
        };
        if parcel.shipment_id.is_some() || parcel.waits_for_address() {
            return Ok(());
        }
        ADDRESS_REFUSED.clone_into(&mut parcel.exception_code);
        parcel.address_faults = faults;
        let lines = self.lines_in(parcel_id, LineState::Produced);
        for id in &lines {
            let line = self.line_mut(*id)?;
            line.deadline = Some(deadline);
            line.alerted = None;
        }
        // One for the parcel: it is one address.
        self.facts.extend(
            lines
                .first()
                .map(|line| Fact::CorrectionRequested { line: *line }),
        );
        Ok(())
    }

    /// The citizen gives another address: the parcels that wait for it are sent there; those that are numbered keep theirs.
    ///
    /// # Errors
    /// [`WorkError::AddressNotAsked`] where none waits.
    pub fn correct_address(&mut self, address: Address) -> Result<(), WorkError> {
        let deadline = self.calendar.deadline(self.now, self.terms.posting_working_days);
        let waiting = self.order.parcels_without_address();
        if waiting.is_empty() {
            return Err(WorkError::AddressNotAsked);
        }
        self.order.address = address.clone();
        for id in waiting {
            if let Some(parcel) = self.parcel_mut(id) {
                parcel.exception_code.clear();
                parcel.address_faults.clear();
                parcel.address = address.clone();
            }
            let lines = self.lines_in(id, LineState::Produced);
            for line in &lines {
                self.line_mut(*line)?.deadline = Some(deadline);
            }
            self.facts
                .extend(lines.first().map(|line| Fact::Corrected { line: *line }));
            self.ask(OutwardKind::CreateShipment, id);
        }
        Ok(())
    }
}
