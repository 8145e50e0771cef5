//! Money: paid, not paid, cancelled, given back.

use uuid::Uuid;

use super::{Work, WorkError};
use crate::domain::order::fact::{Fact, OutwardKind};
use crate::domain::state::{EndReason, LineState, Step};

impl Work<'_> {
    /// Payment knows of the order.
    pub fn payable_opened(&mut self, payable_id: Uuid) {
        self.order.payable_id.get_or_insert(payable_id);
    }

    /// The payable was paid. A line that ended meanwhile gets its money back. A repeat changes nothing.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn paid(&mut self, payable_id: Uuid) -> Result<(), WorkError> {
        self.payable_opened(payable_id);
        let lines = self.ids_in(&[LineState::AwaitingPayment]);
        for id in &lines {
            let now = self.now;
            let days = self.line(*id)?.production_days;
            let deadline = self.calendar.deadline(now, days);
            let line = self.step(*id, Step::Pay)?;
            line.paid_at = Some(now);
            line.deadline = Some(deadline);
        }
        if !lines.is_empty() {
            self.facts.push(Fact::Paid { lines });
        }
        self.paid_too_late(LineState::Cancelled, EndReason::Cancelled)?;
        self.paid_too_late(LineState::Expired, EndReason::Expired)
    }

    fn paid_too_late(&mut self, state: LineState, reason: EndReason) -> Result<(), WorkError> {
        let lines = self.ids_in(&[state]);
        for id in &lines {
            self.refund(*id, Step::Pay, reason)?;
            let now = self.now;
            self.line_mut(*id)?.paid_at = Some(now);
        }
        if !lines.is_empty() {
            self.facts.push(Fact::Refunding { lines, reason });
        }
        Ok(())
    }

    /// Payment says that nobody paid, and that nobody can any more. A repeat changes nothing.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn not_paid(&mut self) -> Result<(), WorkError> {
        let lines = self.ids_in(&[LineState::AwaitingPayment]);
        for id in &lines {
            self.step(*id, Step::Expire)?;
        }
        if !lines.is_empty() {
            self.facts.push(Fact::Expired { lines });
        }
        Ok(())
    }

    /// The citizen cancels lines: those that are named, all or none; where none is named, those that can be cancelled.
    ///
    /// # Errors
    /// [`WorkError::InProduction`] from production on, [`WorkError::PartlyUnpaid`], [`WorkError::Step`] for what has ended.
    pub fn cancel(&mut self, lines: &[Uuid]) -> Result<(), WorkError> {
        let open = self.ids_in(&[LineState::AwaitingPayment, LineState::Paid, LineState::ToCorrect]);
        let lines: Vec<Uuid> = match lines {
            [] if open.is_empty() => self.order.lines.iter().map(|line| line.id).collect(),
            [] => open,
            named => named.to_vec(),
        };
        for id in &lines {
            let state = self.line(*id)?.state;
            if matches!(
                state,
                LineState::InProduction
                    | LineState::Produced
                    | LineState::HandedOver
                    | LineState::Delivered
                    | LineState::Returned
            ) {
                return Err(WorkError::InProduction(*id));
            }
        }
        let unpaid = self.ids_in(&[LineState::AwaitingPayment]);
        let (ending, refunding): (Vec<Uuid>, Vec<Uuid>) = lines.iter().partition(|id| unpaid.contains(id));
        if !ending.is_empty() && ending.len() < unpaid.len() {
            return Err(WorkError::PartlyUnpaid);
        }
        for id in &ending {
            self.step(*id, Step::Cancel)?;
        }
        for id in &refunding {
            self.refund(*id, Step::Cancel, EndReason::Cancelled)?;
        }
        if !ending.is_empty() {
            self.ask(OutwardKind::CancelPayable, self.order.id);
            self.facts.push(Fact::Cancelled {
                lines: ending,
                refunding: false,
            });
        }
        if !refunding.is_empty() {
            self.facts.push(Fact::Cancelled {
                lines: refunding,
                refunding: true,
            });
        }
        Ok(())
    }

    /// Payment confirms a refund. A repeat changes nothing.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn refunded(&mut self, id: Uuid, centimes: i64) -> Result<(), WorkError> {
        if self.line(id)?.state != LineState::Refunding {
            return Ok(());
        }
        let line = self.step(id, Step::Refund)?;
        line.refunded_centimes = centimes;
        line.refund_failed = false;
        self.facts.push(Fact::Refunded { line: id });
        Ok(())
    }

    /// Payment cannot refund by itself. A repeat changes nothing.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn refund_failed(&mut self, id: Uuid) -> Result<(), WorkError> {
        let line = self.line_mut(id)?;
        if line.state == LineState::Refunding && !line.refund_failed {
            line.refund_failed = true;
            self.facts.push(Fact::RefundFailed { line: id });
        }
        Ok(())
    }
}
