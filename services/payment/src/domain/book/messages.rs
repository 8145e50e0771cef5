//! What a provider says.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Book;
use crate::domain::attempt::{Attempt, AttemptState, Authorisation};
use crate::domain::fact::Fact;
use crate::domain::payable::{PayableState, Payment};
use crate::domain::policy::Policy;
use crate::domain::provider::{Answer, SaleState, Status, Success};
use crate::domain::refund::RefundState;
use crate::domain::reversal::{Reversal, ReversalState};

impl Book {
    /// A verified success on an attempt's order id. The first that is owed pays; any other is given back.
    pub fn success(
        &mut self,
        attempt_id: Uuid,
        success: &Success,
        reversal_id: Uuid,
        now: DateTime<Utc>,
        policy: &Policy,
    ) -> (Answer, Vec<Fact>) {
        let Some(attempt) = self.attempt_mut(attempt_id) else {
            return (Answer::Noted, Vec::new());
        };
        if attempt.succeeded_as(&success.transaction) {
            // Whoever told of it first may not have known.
            attempt.international = attempt.international.or(success.international);
            let answer = if attempt.holds() {
                Answer::Capture
            } else {
                Answer::Noted
            };
            return (answer, Vec::new());
        }
        if self.reverses(attempt_id, &success.transaction) {
            return (Answer::Noted, Vec::new());
        }
        let first = self.attempt(attempt_id).is_some_and(Attempt::may_succeed);
        let mut facts = self.expire(now);
        let acceptable = success.authentic && success.amount == self.payable.amount;
        if !acceptable || !first {
            facts.extend(self.reverse(attempt_id, success, reversal_id, now, true));
            return (Answer::Noted, facts);
        }
        if self.payable.state != PayableState::Open {
            self.authorise(attempt_id, success, AttemptState::Voiding, now);
            facts.extend(self.reverse(attempt_id, success, reversal_id, now, false));
            return (Answer::Noted, facts);
        }
        self.authorise(attempt_id, success, AttemptState::Authorised, now);
        self.look(attempt_id, Some(now + policy.poll));
        self.payable.state = PayableState::Paid;
        self.payable.payment = Some(Payment {
            attempt_id,
            at: now,
            receipt: None,
        });
        facts.push(Fact::Paid { attempt_id });
        (Answer::Capture, facts)
    }

    /// A verified decline: the payer may try again. One that comes after a success changes nothing.
    pub fn decline(&mut self, attempt_id: Uuid, code: &str) -> Vec<Fact> {
        let Some(attempt) = self.attempt_mut(attempt_id) else {
            return Vec::new();
        };
        if attempt.state != AttemptState::Started {
            return Vec::new();
        }
        attempt.declines += 1;
        code.clone_into(&mut attempt.decline_code);
        let code = code.to_owned();
        vec![Fact::AttemptDeclined { attempt_id, code }]
    }

    /// The payer is back, or the session is said to be over: the provider is asked soon.
    pub fn look_soon(&mut self, attempt_id: Uuid, now: DateTime<Utc>, policy: &Policy) {
        let soon = now + policy.soon;
        if let Some(attempt) = self.attempt_mut(attempt_id)
            && attempt.due_at.is_some_and(|due| due > soon)
        {
            attempt.look_at(Some(soon));
        }
    }

    /// The payer is back with the provider's word of success, which its own message has not confirmed. Of an attempt that had ended the provider
    /// is asked at once.
    pub fn returned(&mut self, attempt_id: Uuid, now: DateTime<Utc>) {
        let Some(attempt) = self.attempt_mut(attempt_id) else {
            return;
        };
        if attempt.may_succeed() {
            attempt.returned_at = attempt.returned_at.or(Some(now));
        }
        if attempt.state == AttemptState::Ended {
            attempt.look_at(Some(now));
        }
    }

    /// What the payer came back with is no longer waited for.
    pub(super) fn stop_confirming(&mut self, attempt_id: Uuid, now: DateTime<Utc>) {
        if let Some(attempt) = self.attempt_mut(attempt_id)
            && attempt.may_succeed()
            && !attempt.is_confirming(now)
        {
            attempt.returned_at = None;
        }
    }

    /// The provider is asked at the next opportunity, whatever the attempt's state.
    pub fn look_now(&mut self, attempt_id: Uuid, now: DateTime<Utc>) {
        self.look(attempt_id, Some(now));
    }

    /// What the provider's own status says: finds successes that no callback told of, captures, and what was given back. Ends an attempt
    /// whose session is over. `new_id` makes ids of reversals.
    pub fn observe(
        &mut self,
        attempt_id: Uuid,
        status: &Status,
        now: DateTime<Utc>,
        policy: &Policy,
        mut new_id: impl FnMut() -> Uuid,
    ) -> Vec<Fact> {
        let mut facts = Vec::new();
        for sale in status.live() {
            let told = sale.authentic;
            if told.is_none() && self.is_awaited(attempt_id, &sale.transaction, now, policy) {
                continue;
            }
            let success = Success {
                transaction: sale.transaction.clone(),
                amount: sale.amount,
                international: sale.international,
                authentic: told == Some(true),
            };
            let (_, found) = self.success(attempt_id, &success, new_id(), now, policy);
            facts.extend(found);
        }
        facts.extend(self.see_capture(attempt_id, status, now));
        facts.extend(self.see_voids(attempt_id, status, now));
        facts.extend(self.see_credits(attempt_id, status, now));
        facts.extend(self.see_loss(attempt_id, status));
        facts.extend(self.release_refunds(attempt_id, now));
        facts.extend(self.see_absence(attempt_id, status, now, policy));
        self.stop_confirming(attempt_id, now);
        facts.extend(self.see_end(attempt_id, status, now, policy));
        facts
    }

    /// Whether the message may still come that tells of a transaction whether its payer was authenticated. A status that does not say so pays
    /// nothing.
    fn is_awaited(&self, attempt_id: Uuid, transaction: &str, now: DateTime<Utc>, policy: &Policy) -> bool {
        let open = self.attempt(attempt_id).is_some_and(|attempt| {
            attempt.may_succeed() && (attempt.is_confirming(now) || now < attempt.expires_at + policy.margin)
        });
        open && self.payable_now(now).is_ok() && !self.reverses(attempt_id, transaction)
    }

    fn reverses(&self, attempt_id: Uuid, transaction: &str) -> bool {
        self.reversals
            .iter()
            .any(|reversal| reversal.attempt_id == attempt_id && reversal.transaction == transaction)
    }

    fn authorise(&mut self, attempt_id: Uuid, success: &Success, state: AttemptState, now: DateTime<Utc>) {
        if let Some(attempt) = self.attempt_mut(attempt_id) {
            attempt.state = state;
            attempt.international = success.international;
            attempt.authorisation = Some(Authorisation {
                transaction: success.transaction.clone(),
                at: now,
            });
        }
    }

    fn reverse(
        &mut self,
        attempt_id: Uuid,
        success: &Success,
        id: Uuid,
        now: DateTime<Utc>,
        further: bool,
    ) -> Vec<Fact> {
        self.reversals.push(Reversal {
            id,
            attempt_id,
            transaction: success.transaction.clone(),
            amount: success.amount,
            state: ReversalState::Open,
            refusals: 0,
            not_before: None,
            sent_at: None,
            created_at: now,
            ended_at: None,
        });
        self.look(attempt_id, Some(now));
        vec![Fact::AttemptVoiding { attempt_id, further }]
    }

    pub(super) fn look(&mut self, attempt_id: Uuid, due: Option<DateTime<Utc>>) {
        if let Some(attempt) = self.attempt_mut(attempt_id) {
            attempt.look_at(due);
        }
    }

    fn see_capture(&mut self, attempt_id: Uuid, status: &Status, now: DateTime<Utc>) -> Vec<Fact> {
        let amount = self.payable.amount;
        let captured = |attempt: &Attempt| {
            attempt
                .authorisation
                .as_ref()
                .and_then(|authorisation| status.sale(&authorisation.transaction))
                .is_some_and(|sale| sale.state == SaleState::Captured && sale.captured == amount)
        };
        match self.attempt_mut(attempt_id) {
            Some(attempt) if attempt.state == AttemptState::Authorised && captured(attempt) => {
                attempt.state = AttemptState::Captured;
                attempt.captured_at = Some(now);
                attempt.tries = 0;
                vec![Fact::AttemptCaptured { attempt_id }]
            }
            _ => Vec::new(),
        }
    }

    fn see_voids(&mut self, attempt_id: Uuid, status: &Status, now: DateTime<Utc>) -> Vec<Fact> {
        let voided: Vec<Uuid> = self
            .open_reversals(attempt_id)
            .filter(|reversal| {
                let sale = status.sale(&reversal.transaction);
                sale.is_some_and(|sale| sale.state == SaleState::Voided)
            })
            .map(|reversal| reversal.id)
            .collect();
        voided
            .into_iter()
            .flat_map(|id| self.end_reversal(id, ReversalState::Voided, now))
            .collect()
    }

    /// Credits that were sent and whose answer was lost, or was a refusal though they were done. A provider that keeps our ids is believed by
    /// them; otherwise the sum of its credits tells, since one is sent at a time.
    fn see_credits(&mut self, attempt_id: Uuid, status: &Status, now: DateTime<Utc>) -> Vec<Fact> {
        let settled = self.credited(attempt_id);
        let shows = |id: Uuid, amount: i64| match status.credits.iter().any(|credit| credit.id.is_some()) {
            true => status.credits.iter().any(|credit| credit.id == Some(id)),
            false => status.credited() >= settled + amount,
        };
        let reversal = self
            .open_reversals(attempt_id)
            .find(|reversal| reversal.sent_at.is_some() && shows(reversal.id, reversal.amount))
            .map(|reversal| reversal.id);
        if let Some(id) = reversal {
            return self.end_reversal(id, ReversalState::Credited, now);
        }
        let refund = self
            .open_refunds(attempt_id)
            .find(|refund| refund.sent_at.is_some() && shows(refund.id, refund.amount))
            .map(|refund| refund.id);
        refund.map(|id| self.complete_refund(id, now)).unwrap_or_default()
    }

    /// What the provider has credited on this attempt as far as we know.
    fn credited(&self, attempt_id: Uuid) -> i64 {
        let refunds: i64 = self
            .refunds
            .iter()
            .filter(|refund| {
                refund.attempt_id == attempt_id && refund.state == RefundState::Completed && !refund.released
            })
            .map(|refund| refund.amount)
            .sum();
        let reversals: i64 = self
            .reversals
            .iter()
            .filter(|reversal| reversal.attempt_id == attempt_id && reversal.state == ReversalState::Credited)
            .map(|reversal| reversal.amount)
            .sum();
        refunds + reversals
    }

    fn see_end(
        &mut self,
        attempt_id: Uuid,
        status: &Status,
        now: DateTime<Utc>,
        policy: &Policy,
    ) -> Vec<Fact> {
        match self.attempt_mut(attempt_id) {
            Some(attempt)
                if attempt.state == AttemptState::Started
                    && attempt.expires_at + policy.margin <= now
                    && !status.pending() =>
            {
                attempt.state = AttemptState::Ended;
                vec![Fact::AttemptEnded { attempt_id }]
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn end_reversal(&mut self, id: Uuid, state: ReversalState, now: DateTime<Utc>) -> Vec<Fact> {
        let Some(reversal) = self.reversals.iter_mut().find(|reversal| reversal.id == id) else {
            return Vec::new();
        };
        reversal.state = state;
        reversal.ended_at = Some(now);
        reversal.sent_at = None;
        let (attempt_id, transaction) = (reversal.attempt_id, reversal.transaction.clone());
        let own = self
            .attempt_mut(attempt_id)
            .filter(|attempt| attempt.succeeded_as(&transaction));
        let further = match own {
            Some(attempt) => {
                attempt.state = AttemptState::Voided;
                false
            }
            None => true,
        };
        vec![Fact::AttemptVoided { attempt_id, further }]
    }

    pub(super) fn complete_refund(&mut self, id: Uuid, now: DateTime<Utc>) -> Vec<Fact> {
        let Some(refund) = self.refunds.iter_mut().find(|refund| refund.id == id) else {
            return Vec::new();
        };
        refund.state = RefundState::Completed;
        refund.completed_at = Some(now);
        refund.sent_at = None;
        vec![Fact::RefundCompleted { refund_id: id }]
    }
}
