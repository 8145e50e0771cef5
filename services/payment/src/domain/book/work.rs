//! What a provider is told, one act at a time for each attempt, always after a look at its status.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Book;
use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::fact::Fact;
use crate::domain::policy::{CONFIRMING, MAX_REFUSALS, Policy};
use crate::domain::provider::{Act, Outcome, Provider, SaleState, Status};
use crate::domain::refund::{Refund, RefundState};
use crate::domain::reversal::{Reversal, ReversalState};

impl Book {
    /// Refunds of an attempt that are not at their end, oldest first.
    pub fn open_refunds(&self, attempt_id: Uuid) -> impl Iterator<Item = &Refund> {
        self.refunds
            .iter()
            .filter(move |refund| refund.attempt_id == attempt_id && refund.state == RefundState::Requested)
    }

    /// What is to be done at the provider now, after [`Book::observe`] of the same status. Says when it is looked at again where there is
    /// nothing to do.
    pub fn next_act(
        &mut self,
        attempt_id: Uuid,
        status: &Status,
        now: DateTime<Utc>,
        policy: &Policy,
    ) -> Option<Act> {
        if let Some(sent) = self.sent_at(attempt_id)
            && now < sent + policy.unknown
        {
            // Nothing else is sent meanwhile: the sum of the credits must tell what became of this one.
            self.schedule(attempt_id, Some(sent + policy.unknown));
            return None;
        }
        let act = self.decide(attempt_id, status, now, policy);
        match &act {
            Some(act) => self.mark_sent(act, now),
            None => {
                let due = self.next_due(attempt_id, now, policy);
                self.schedule(attempt_id, due);
            }
        }
        act
    }

    /// What became of an act.
    pub fn acted(
        &mut self,
        attempt_id: Uuid,
        act: &Act,
        outcome: Outcome,
        now: DateTime<Utc>,
        policy: &Policy,
    ) -> Vec<Fact> {
        let facts = match (act, outcome) {
            (Act::Tell, Outcome::Done) => self.told(attempt_id, now),
            (Act::Tell, Outcome::Refused) => self.never_told(attempt_id),
            (Act::Void { reversal_id, .. }, Outcome::Done) => {
                self.end_reversal(*reversal_id, ReversalState::Voided, now)
            }
            (Act::CreditReversal { reversal_id, .. }, Outcome::Done) => {
                self.end_reversal(*reversal_id, ReversalState::Credited, now)
            }
            (Act::CreditRefund { refund_id, .. }, Outcome::Done) => self.complete_refund(*refund_id, now),
            (
                Act::Void { reversal_id, .. } | Act::CreditReversal { reversal_id, .. },
                Outcome::Refused | Outcome::Unknown,
            ) => self.reversal_failed(*reversal_id, outcome, now, policy),
            (Act::Capture { .. }, Outcome::Refused) => self.capture_refused(attempt_id),
            (Act::CreditRefund { refund_id, .. }, Outcome::Refused) => {
                self.refund_refused(*refund_id, now, policy)
            }
            (Act::Capture { .. }, _) | (_, Outcome::Unknown) => Vec::new(),
        };
        let due = match outcome {
            // Only the status says what is captured; and there may be more to do.
            Outcome::Done => {
                self.look(attempt_id, None);
                let open = self.next_due(attempt_id, now, policy);
                open.map(|due| due.min(now + policy.soon))
            }
            // What cannot be given back now keeps nothing else waiting.
            Outcome::Refused | Outcome::Unknown if self.open_beside(attempt_id, act) => {
                Some(self.unblocked_at(attempt_id, now, policy))
            }
            Outcome::Refused | Outcome::Unknown => self.next_due(attempt_id, now, policy),
        };
        self.schedule(attempt_id, due);
        facts
    }

    /// The provider gave no status: it is asked again later.
    pub fn unanswered(&mut self, attempt_id: Uuid, now: DateTime<Utc>, policy: &Policy) {
        self.stop_confirming(attempt_id, now);
        if let Some(attempt) = self.attempt_mut(attempt_id) {
            let pause = policy.pause(attempt.tries);
            attempt.tries = attempt.tries.saturating_add(1);
            attempt.due_at = Some(now + pause);
        }
    }

    fn decide(&self, attempt_id: Uuid, status: &Status, now: DateTime<Utc>, policy: &Policy) -> Option<Act> {
        let attempt = self.attempt(attempt_id)?;
        // The one that has waited for longest: one that never succeeds keeps no other waiting.
        let reversal = self
            .open_reversals(attempt_id)
            .filter(|reversal| reversal.not_before.is_none_or(|time| time <= now))
            .filter_map(|reversal| Some((reversal.not_before, reversing(reversal, status)?)))
            .min_by_key(|(not_before, _)| *not_before);
        if let Some((_, act)) = reversal {
            return Some(act);
        }
        match attempt.state {
            AttemptState::Started => {
                let untold = attempt.provider == Provider::TextMessage
                    && attempt.told_at.is_none()
                    && now < attempt.expires_at;
                untold.then_some(Act::Tell)
            }
            AttemptState::Authorised => self.capturing(attempt, status, now, policy),
            AttemptState::Captured => self
                .open_refunds(attempt_id)
                .next()
                .filter(|refund| refund.not_before.is_none_or(|time| time <= now))
                .map(|refund| Act::CreditRefund {
                    refund_id: refund.id,
                    amount: refund.amount,
                }),
            AttemptState::Voiding | AttemptState::Voided | AttemptState::Ended => None,
        }
    }

    /// What is authorised is captured by our own request after its time, or before money of it is given back.
    fn capturing(
        &self,
        attempt: &Attempt,
        status: &Status,
        now: DateTime<Utc>,
        policy: &Policy,
    ) -> Option<Act> {
        let authorisation = attempt.authorisation.as_ref()?;
        let sale = status.sale(&authorisation.transaction)?;
        let time =
            now >= authorisation.at + policy.capture_after || self.open_refunds(attempt.id).next().is_some();
        (sale.state == SaleState::Authorised && time).then(|| Act::Capture {
            transaction: sale.transaction.clone(),
        })
    }

    /// When a credit of this attempt was sent that may have been done.
    fn sent_at(&self, attempt_id: Uuid) -> Option<DateTime<Utc>> {
        let reversals = self
            .open_reversals(attempt_id)
            .filter_map(|reversal| reversal.sent_at);
        let refunds = self.open_refunds(attempt_id).filter_map(|refund| refund.sent_at);
        reversals.chain(refunds).max()
    }

    /// A credit is written down as sent before it is: what comes after a crash then looks before it sends again.
    fn mark_sent(&mut self, act: &Act, now: DateTime<Utc>) {
        match act {
            Act::CreditReversal { reversal_id, .. } => {
                for reversal in self
                    .reversals
                    .iter_mut()
                    .filter(|reversal| reversal.id == *reversal_id)
                {
                    reversal.sent_at = Some(now);
                }
            }
            Act::CreditRefund { refund_id, .. } => {
                for refund in self.refunds.iter_mut().filter(|refund| refund.id == *refund_id) {
                    refund.sent_at = Some(now);
                }
            }
            Act::Tell | Act::Capture { .. } | Act::Void { .. } => {}
        }
    }

    fn told(&mut self, attempt_id: Uuid, now: DateTime<Utc>) -> Vec<Fact> {
        if let Some(attempt) = self.attempt_mut(attempt_id) {
            attempt.told_at = Some(now);
        }
        Vec::new()
    }

    /// The provider does not take the request: nobody can confirm it.
    fn never_told(&mut self, attempt_id: Uuid) -> Vec<Fact> {
        match self.attempt_mut(attempt_id) {
            Some(attempt) if attempt.state == AttemptState::Started => {
                attempt.state = AttemptState::Ended;
                vec![Fact::AttemptEnded { attempt_id }]
            }
            _ => Vec::new(),
        }
    }

    fn reversal_failed(
        &mut self,
        id: Uuid,
        outcome: Outcome,
        now: DateTime<Utc>,
        policy: &Policy,
    ) -> Vec<Fact> {
        for reversal in self.reversals.iter_mut().filter(|reversal| reversal.id == id) {
            if outcome == Outcome::Refused {
                reversal.refusals = reversal.refusals.saturating_add(1);
            }
            reversal.not_before = Some(now + policy.again(reversal.refusals));
        }
        Vec::new()
    }

    /// What is never captured is never given back: whoever waits for that is told.
    fn capture_refused(&mut self, attempt_id: Uuid) -> Vec<Fact> {
        let Some(attempt) = self.attempt_mut(attempt_id) else {
            return Vec::new();
        };
        attempt.capture_refusals = attempt.capture_refusals.saturating_add(1);
        match attempt.capture_refusals >= MAX_REFUSALS {
            true => self.fail_refunds(attempt_id),
            false => Vec::new(),
        }
    }

    /// Whether an act that gives back a transaction has something else to be done on its attempt beside it.
    fn open_beside(&self, attempt_id: Uuid, act: &Act) -> bool {
        let gives_back = matches!(act, Act::Void { .. } | Act::CreditReversal { .. });
        let authorised = self
            .attempt(attempt_id)
            .is_some_and(|attempt| attempt.state == AttemptState::Authorised);
        gives_back && (authorised || self.open_refunds(attempt_id).next().is_some())
    }

    /// When something else can be sent.
    fn unblocked_at(&self, attempt_id: Uuid, now: DateTime<Utc>, policy: &Policy) -> DateTime<Utc> {
        let soon = now + policy.soon;
        self.sent_at(attempt_id)
            .map_or(soon, |sent| soon.max(sent + policy.unknown))
    }

    fn refund_refused(&mut self, id: Uuid, now: DateTime<Utc>, policy: &Policy) -> Vec<Fact> {
        let Some(refund) = self.refunds.iter_mut().find(|refund| refund.id == id) else {
            return Vec::new();
        };
        let since = *refund.refused_since.get_or_insert(now);
        refund.refusals = refund.refusals.saturating_add(1);
        refund.not_before = Some(now + policy.again_refund(refund.refusals));
        if refund.refusals < MAX_REFUSALS || now < since + policy.refund_patience {
            return Vec::new();
        }
        refund.state = RefundState::Failed;
        vec![Fact::RefundFailed { refund_id: id }]
    }

    fn next_due(&self, attempt_id: Uuid, now: DateTime<Utc>, policy: &Policy) -> Option<DateTime<Utc>> {
        let attempt = self.attempt(attempt_id)?;
        let later = now + policy.pause(attempt.tries);
        if let Some(sent) = self.sent_at(attempt_id)
            && now < sent + policy.unknown
        {
            return Some(later.max(sent + policy.unknown));
        }
        let reversal = self.open_reversals(attempt_id).next().map(|_| later);
        let refund = self.open_refunds(attempt_id).next();
        let refund = refund.map(|refund| refund.not_before.map_or(later, |time| later.max(time)));
        let own = Self::own_due(attempt, now, later, policy);
        [reversal, refund, own].into_iter().flatten().min()
    }

    /// When an attempt is looked at for its own sake.
    fn own_due(
        attempt: &Attempt,
        now: DateTime<Utc>,
        later: DateTime<Utc>,
        policy: &Policy,
    ) -> Option<DateTime<Utc>> {
        // Until then the success with which the payer came back is waited for.
        let confirmed = attempt.returned_at.map(|at| at + CONFIRMING);
        match attempt.state {
            AttemptState::Started => {
                let end = attempt.expires_at + policy.margin;
                let untold = attempt.provider == Provider::TextMessage && attempt.told_at.is_none();
                let own = if end <= now || untold {
                    later
                } else {
                    end.min(later)
                };
                Some(confirmed.map_or(own, |time| own.min(time)))
            }
            AttemptState::Ended => confirmed.map(|time| later.min(time)),
            AttemptState::Authorised => {
                let capture = attempt
                    .authorisation
                    .as_ref()
                    .map(|authorisation| authorisation.at + policy.capture_after)
                    .filter(|capture| *capture > now);
                Some(capture.map_or(later, |capture| capture.min(later)))
            }
            AttemptState::Captured | AttemptState::Voiding | AttemptState::Voided => None,
        }
    }

    /// Looked at again then, after one look more.
    fn schedule(&mut self, attempt_id: Uuid, due: Option<DateTime<Utc>>) {
        if let Some(attempt) = self.attempt_mut(attempt_id) {
            attempt.due_at = due;
            attempt.tries = attempt.tries.saturating_add(1);
        }
    }
}

fn reversing(reversal: &Reversal, status: &Status) -> Option<Act> {
    let sale = status.sale(&reversal.transaction)?;
    let (reversal_id, amount) = (reversal.id, reversal.amount);
    match sale.state {
        SaleState::Captured if reversal.refusals > 0 => Some(Act::CreditReversal { reversal_id, amount }),
        SaleState::Authorised | SaleState::Captured => Some(Act::Void {
            reversal_id,
            transaction: reversal.transaction.clone(),
            amount,
        }),
        SaleState::Declined | SaleState::Pending | SaleState::Voided => None,
    }
}
