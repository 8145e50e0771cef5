//! Parcels and what the post says of them. Events may come twice, late, and before the answer to the call that caused them.

use uuid::Uuid;

use super::{Work, WorkError};
use crate::domain::order::fact::Fact;
use crate::domain::order::parcel::{CANCELLED, CONTRADICTORY_EVENTS, Tracking};
use crate::domain::state::{EndReason, LineState, Step};

/// States of a shipment that the citizen is told of.
const TOLD: [&str; 4] = ["ATTEMPTED", "HELD_FOR_COLLECTION", "RETURNING", "CLAIMED"];
/// States in which the post does not hold the shipment.
const NOT_POSTED: [&str; 2] = ["LABEL_PRINTED", CANCELLED];

impl Work<'_> {
    /// Postal-shipping has numbered the parcel.
    pub fn shipment_created(&mut self, parcel_id: Uuid, shipment_id: Uuid, tracking_number: &str) {
        let Some(parcel) = self.parcel_mut(parcel_id) else {
            return;
        };
        if parcel.shipment_id.is_none() {
            if parcel.waits_for_address() {
                // It was taken after all.
                parcel.exception_code.clear();
                parcel.address_faults.clear();
            }
            parcel.shipment_id = Some(shipment_id);
            parcel.tracking_number = Some(tracking_number.to_owned());
            if parcel.shipment_state.is_empty() {
                "LABEL_PRINTED".clone_into(&mut parcel.shipment_state);
            }
            self.facts.push(Fact::ParcelReady { parcel: parcel_id });
        }
    }

    /// The office has scanned the parcel for the post.
    pub fn hand_over_asked(&mut self, parcel_id: Uuid) {
        let now = self.now;
        if let Some(parcel) = self.parcel_mut(parcel_id) {
            parcel.hand_over_at.get_or_insert(now);
        }
    }

    /// Postal-shipping did not take the hand-over: the parcel may be scanned again.
    pub fn hand_over_refused(&mut self, parcel_id: Uuid) {
        if let Some(parcel) = self.parcel_mut(parcel_id)
            && parcel.deposit_list_id.is_none()
        {
            parcel.hand_over_at = None;
        }
    }

    /// The post holds the parcel. A repeat changes nothing.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn handed_over(&mut self, parcel_id: Uuid, deposit_list: Option<Uuid>) -> Result<(), WorkError> {
        let (now, deadline) = (self.now, self.now + self.terms.silence);
        let Some(parcel) = self.parcel_mut(parcel_id) else {
            return Ok(());
        };
        parcel.hand_over_at.get_or_insert(now);
        parcel.deposit_list_id = parcel.deposit_list_id.or(deposit_list);
        if NOT_POSTED.contains(&parcel.shipment_state.as_str()) || parcel.shipment_state.is_empty() {
            "HANDED_OVER".clone_into(&mut parcel.shipment_state);
        }
        let lines = self.lines_in(parcel_id, LineState::Produced);
        for id in &lines {
            self.step(*id, Step::HandOver)?.deadline = Some(deadline);
        }
        if !lines.is_empty() {
            self.facts.push(Fact::HandedOver { parcel: parcel_id });
        }
        Ok(())
    }

    /// The post says where the parcel is. What is older than what is known changes nothing.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn tracked(&mut self, parcel_id: Uuid, tracking: &Tracking) -> Result<(), WorkError> {
        let ended_otherwise = self.has_ended_otherwise(parcel_id, &tracking.state);
        let Some(parcel) = self.parcel_mut(parcel_id) else {
            return Ok(());
        };
        if tracking.sequence <= parcel.shipment_sequence {
            return Ok(());
        }
        let exception_code = match tracking.exception_code.as_str() {
            "" if ended_otherwise => CONTRADICTORY_EVENTS,
            told => told,
        };
        let is_news = tracking.is_news(&parcel.shipment_state);
        let wrong = !exception_code.is_empty() && parcel.exception_code != exception_code;
        let told = (TOLD.contains(&tracking.state.as_str())
            && (parcel.shipment_state != tracking.state
                || tracking.attempts.is_some_and(|n| n != parcel.attempts)))
            || wrong;
        parcel.shipment_sequence = tracking.sequence;
        parcel.shipment_state.clone_from(&tracking.state);
        parcel.attempts = tracking.attempts.unwrap_or(parcel.attempts);
        if tracking.attempts.is_some() {
            parcel.held_until = tracking.held_until;
        }
        exception_code.clone_into(&mut parcel.exception_code);
        parcel.address_faults.clear();
        if is_news {
            parcel.heard_at = parcel.heard_at.max(Some(tracking.at));
        }
        if NOT_POSTED.contains(&tracking.state.as_str()) {
            return Ok(());
        }
        // An event of the carrier says as much as the hand-over, should that come later.
        self.handed_over(parcel_id, None)?;
        if is_news {
            self.hear(parcel_id)?;
        }
        if told {
            self.facts.push(Fact::Tracked { parcel: parcel_id });
        }
        self.arrive(parcel_id, &tracking.state)?;
        if wrong {
            self.show(parcel_id)?;
        }
        Ok(())
    }

    /// Whether lines of it have ended in another way than the post says now: they stay as they are, since nobody but the office can find out
    /// which of the two is right.
    fn has_ended_otherwise(&self, parcel_id: Uuid, shipment_state: &str) -> bool {
        self.order.lines_of(parcel_id).any(|line| match line.state {
            LineState::Delivered => shipment_state != "DELIVERED",
            LineState::Returned => shipment_state != "RETURNED",
            _ => false,
        })
    }

    /// What was delivered otherwise than it should, or perhaps not at all, is shown to the office for a while.
    fn show(&mut self, parcel_id: Uuid) -> Result<(), WorkError> {
        let until = self.now + self.terms.exception;
        let delivered = self.lines_in(parcel_id, LineState::Delivered);
        for id in delivered
            .into_iter()
            .chain(self.lines_in(parcel_id, LineState::Returned))
        {
            self.line_mut(id)?.deadline = Some(until);
        }
        Ok(())
    }

    /// The post is not silent: the time begins anew.
    fn hear(&mut self, parcel_id: Uuid) -> Result<(), WorkError> {
        let deadline = self.now + self.terms.silence;
        for id in self.lines_in(parcel_id, LineState::HandedOver) {
            let line = self.line_mut(id)?;
            line.deadline = Some(deadline);
            line.alerted = None;
        }
        Ok(())
    }

    fn arrive(&mut self, parcel_id: Uuid, state: &str) -> Result<(), WorkError> {
        let lines = self.lines_in(parcel_id, LineState::HandedOver);
        if lines.is_empty() {
            return Ok(());
        }
        match state {
            "DELIVERED" => {
                for id in lines {
                    self.step(id, Step::Deliver)?;
                }
                self.facts.push(Fact::Delivered { parcel: parcel_id });
            }
            "RETURNED" => {
                let until = self.now + self.terms.exception;
                for id in lines {
                    self.step(id, Step::Return)?.deadline = Some(until);
                }
                self.facts.push(Fact::Returned { parcel: parcel_id });
            }
            "LOST" => {
                for id in &lines {
                    self.refund(*id, Step::Lose, EndReason::Lost)?;
                }
                self.facts.push(Fact::Refunding {
                    lines,
                    reason: EndReason::Lost,
                });
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn lines_in(&self, parcel_id: Uuid, state: LineState) -> Vec<Uuid> {
        let lines = self.order.lines_of(parcel_id);
        lines
            .filter(|line| line.state == state)
            .map(|line| line.id)
            .collect()
    }
}
