//! Everything that may be done to an order. Each act changes it in memory and notes what happened and whom to ask; the store writes all of
//! it in one transaction, or nothing.

mod address;
mod office;
mod payment;
mod post;
#[cfg(test)]
mod tests;

pub use office::{Correction, FoundAct, answer};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::kind::Relation;
use crate::domain::order::Order;
use crate::domain::order::fact::{Due, Fact, OutwardKind};
use crate::domain::order::line::{Line, StepError};
use crate::domain::order::parcel::{CANCELLED, Parcel};
use crate::domain::state::{Alert, EndReason, LineState, Path, Step};
use crate::domain::working_days::Calendar;

/// Times that bound the states.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub correction: TimeDelta,
    pub overdue_working_days: u16,
    pub posting_working_days: u16,
    /// How long what is produced waits for the other lines of its parcel.
    pub together_working_days: u16,
    /// In how much time payment gives money back before somebody is told.
    pub refund_working_days: u16,
    pub silence: TimeDelta,
    /// How long the office is shown what came back, or went to somebody else.
    pub exception: TimeDelta,
}

/// Why something was not done to an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Step(#[from] StepError),
    #[error("line {0} is not of this order")]
    LineUnknown(Uuid),
    #[error("line {0} is being produced, or was, and cannot be cancelled any more")]
    InProduction(Uuid),
    #[error("an order that is not paid is cancelled as a whole")]
    PartlyUnpaid,
    #[error("the document of line {0} stands at the officer's and is not taken back for a correction")]
    Prepared(Uuid),
    #[error("who ordered line {0} is not known to be entitled to the act: check it, and record that")]
    NotEntitled(Uuid),
    #[error("the document of line {0} is being withdrawn")]
    Withdrawing(Uuid),
    #[error("line {0} is of an order of this very person, whom somebody else serves")]
    OwnOrder(Uuid),
    #[error("a mandataire of line {0} has attached nothing: note what was seen")]
    NoteNeeded(Uuid),
    #[error("the post has taken the address: it is not changed any more")]
    AddressNotAsked,
}

/// An order being worked on at a moment.
pub struct Work<'a> {
    pub order: Order,
    pub facts: Vec<Fact>,
    pub due: Vec<Due>,
    now: DateTime<Utc>,
    calendar: &'a Calendar,
    terms: Terms,
    new_id: &'a mut (dyn FnMut() -> Uuid + Send),
}

impl<'a> Work<'a> {
    /// Begins with what stands.
    pub fn on(
        order: Order,
        now: DateTime<Utc>,
        calendar: &'a Calendar,
        terms: Terms,
        new_id: &'a mut (dyn FnMut() -> Uuid + Send),
    ) -> Self {
        Self {
            order,
            facts: Vec::new(),
            due: Vec::new(),
            now,
            calendar,
            terms,
            new_id,
        }
    }

    fn place_of(&self, id: Uuid) -> Result<usize, WorkError> {
        let place = self.order.lines.iter().position(|line| line.id == id);
        place.ok_or(WorkError::LineUnknown(id))
    }

    fn line(&self, id: Uuid) -> Result<&Line, WorkError> {
        Ok(&self.order.lines[self.place_of(id)?])
    }

    fn line_mut(&mut self, id: Uuid) -> Result<&mut Line, WorkError> {
        let place = self.place_of(id)?;
        Ok(&mut self.order.lines[place])
    }

    /// What is not the applicant's own act, under a proved identity, is made once the relation is known. Whoever makes their own from paper looks
    /// for this name in the register.
    fn check_entitled(&self, id: Uuid, path: Path) -> Result<(), WorkError> {
        let line = self.line(id)?;
        let applicant = &self.order.applicant;
        let own = line.relation == Relation::Oneself
            && applicant.proved
            && applicant.name.is_same(&line.clue.person);
        if line.is_entitled() || own && path == Path::Paper {
            Ok(())
        } else {
            Err(WorkError::NotEntitled(id))
        }
    }

    /// Nobody serves their own order.
    fn check_other(&self, id: Uuid, person: Option<Uuid>) -> Result<(), WorkError> {
        if person == Some(self.order.person_id) {
            return Err(WorkError::OwnOrder(id));
        }
        Ok(())
    }

    fn parcel_mut(&mut self, id: Uuid) -> Option<&mut Parcel> {
        self.order.parcels.iter_mut().find(|parcel| parcel.id == id)
    }

    fn step(&mut self, id: Uuid, step: Step) -> Result<&mut Line, WorkError> {
        let place = self.place_of(id)?;
        let line = self.order.lines[place].clone().after(step, self.now)?;
        self.order.lines[place] = line;
        Ok(&mut self.order.lines[place])
    }

    fn ids_in(&self, states: &[LineState]) -> Vec<Uuid> {
        let lines = self
            .order
            .lines
            .iter()
            .filter(|line| states.contains(&line.state));
        lines.map(|line| line.id).collect()
    }

    fn ask(&mut self, kind: OutwardKind, subject: Uuid) {
        self.due.push(Due { kind, subject });
    }

    /// The money of a line goes back.
    fn refund(&mut self, id: Uuid, step: Step, reason: EndReason) -> Result<(), WorkError> {
        let told = self.calendar.deadline(self.now, self.terms.refund_working_days);
        let line = self.step(id, step)?;
        line.end_reason = Some(reason);
        line.withdrawing = None;
        line.deadline = Some(told);
        let office_id = line.office_id;
        self.ask(OutwardKind::RequestRefund, id);
        self.pack(office_id);
        Ok(())
    }

    /// Makes a parcel of what one office has produced, once nothing more of the order is to be produced there; from then on it is to be posted.
    fn pack(&mut self, office_id: Uuid) {
        let mut here = self.unpacked(office_id);
        if !here.any(|line| line.state.is_before_production_ends()) {
            drop(here);
            self.pack_ready(office_id);
        }
    }

    /// Makes a parcel of what one office has produced, whatever else is still to be produced there.
    fn pack_ready(&mut self, office_id: Uuid) {
        let produced = self
            .unpacked(office_id)
            .filter(|line| line.state == LineState::Produced);
        let ready: Vec<Uuid> = produced.map(|line| line.id).collect();
        if ready.is_empty() {
            return;
        }
        let address = self.order.address.clone();
        let parcel = Parcel::new((self.new_id)(), office_id, address, self.now);
        let deadline = self.calendar.deadline(self.now, self.terms.posting_working_days);
        for line in self
            .order
            .lines
            .iter_mut()
            .filter(|line| ready.contains(&line.id))
        {
            line.parcel_id = Some(parcel.id);
            line.deadline = Some(deadline);
        }
        self.ask(OutwardKind::CreateShipment, parcel.id);
        self.order.parcels.push(parcel);
    }

    /// The lines of an office that are in no parcel.
    fn unpacked(&self, office_id: Uuid) -> impl Iterator<Item = &Line> {
        let lines = self.order.lines.iter();
        lines.filter(move |line| line.office_id == office_id && line.parcel_id.is_none())
    }

    /// Does what time brings about: what has run out ends or is told. An unpaid order is left to payment, which is asked to withdraw it.
    ///
    /// # Errors
    /// [`WorkError`]; never for lines that stand as they should.
    pub fn let_time_pass(&mut self) -> Result<(), WorkError> {
        let now = self.now;
        let late: Vec<(Uuid, LineState)> = self
            .order
            .lines
            .iter()
            .filter(|line| line.deadline.is_some_and(|deadline| deadline <= now))
            .map(|line| (line.id, line.state))
            .collect();
        let unpaid: Vec<Uuid> = late
            .iter()
            .filter(|(_, state)| *state == LineState::AwaitingPayment)
            .map(|(id, _)| *id)
            .collect();
        if !unpaid.is_empty() {
            for id in &unpaid {
                self.line_mut(*id)?.deadline = None;
            }
            self.ask(OutwardKind::ExpirePayable, self.order.id);
        }
        for (id, state) in late {
            match state {
                LineState::Paid | LineState::InProduction => self.production_is_late(id)?,
                LineState::ToCorrect => self.lapse(id)?,
                LineState::Produced if self.order.waits_for_address(self.line(id)?) => self.give_up(id)?,
                // The others have had their time: it goes without them, and so do those that wait beside it.
                LineState::Produced if self.line(id)?.parcel_id.is_none() => {
                    self.pack_ready(self.line(id)?.office_id);
                }
                LineState::Produced if self.line(id)?.deadline.is_some_and(|deadline| deadline <= now) => {
                    self.alert(id, Alert::ProducedNotPosted, None)?;
                }
                LineState::HandedOver => self.alert(id, Alert::PostedAndSilent, None)?,
                LineState::Refunding => self.alert(id, Alert::RefundOverdue, None)?,
                LineState::Returned => self.let_rest(id, Some(Alert::ReturnedAndKept))?,
                LineState::Delivered => self.let_rest(id, None)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Nobody has corrected the address that the post does not take.
    fn give_up(&mut self, id: Uuid) -> Result<(), WorkError> {
        self.refund(id, Step::Overdue, EndReason::AddressRefused)?;
        if let Some(parcel) = self.line(id)?.parcel_id.and_then(|id| self.parcel_mut(id)) {
            CANCELLED.clone_into(&mut parcel.shipment_state);
        }
        self.facts.push(Fact::Refunding {
            lines: vec![id],
            reason: EndReason::AddressRefused,
        });
        Ok(())
    }

    /// First the office is told; when that does not help, the money goes back.
    fn production_is_late(&mut self, id: Uuid) -> Result<(), WorkError> {
        if self.line(id)?.alerted.is_some() {
            return self.lapse(id);
        }
        let last = self.calendar.deadline(self.now, self.terms.overdue_working_days);
        self.alert(id, Alert::PaidNotProduced, Some(last))
    }

    fn alert(&mut self, id: Uuid, alert: Alert, next: Option<DateTime<Utc>>) -> Result<(), WorkError> {
        let line = self.line_mut(id)?;
        line.alerted = Some(alert);
        line.deadline = next;
        self.facts.push(Fact::Alerted { line: id, alert });
        Ok(())
    }

    /// It has ended, and nobody needs to look at it any more.
    fn let_rest(&mut self, id: Uuid, alert: Option<Alert>) -> Result<(), WorkError> {
        self.line_mut(id)?.deadline = None;
        if let Some(alert) = alert {
            self.facts.push(Fact::Alerted { line: id, alert });
        }
        Ok(())
    }

    fn lapse(&mut self, id: Uuid) -> Result<(), WorkError> {
        if self.line(id)?.is_deposited() {
            return self.withdraw(id, EndReason::Overdue);
        }
        self.refund(id, Step::Overdue, EndReason::Overdue)?;
        self.facts.push(Fact::Refunding {
            lines: vec![id],
            reason: EndReason::Overdue,
        });
        Ok(())
    }

    /// The document is taken back from signature before the money goes back, so that nothing is sealed that nobody gets.
    fn withdraw(&mut self, id: Uuid, reason: EndReason) -> Result<(), WorkError> {
        let line = self.line_mut(id)?;
        line.deadline = None;
        if line.withdrawing.is_none() {
            line.withdrawing = Some(reason);
            let asked = line
                .document
                .as_ref()
                .is_some_and(|document| document.again.is_some());
            if !asked {
                self.ask(OutwardKind::WithdrawDocument, id);
            }
        }
        Ok(())
    }
}
