//! A payable with everything that belongs to it: the machine that every change of money goes through.
//!
//! Its methods change the book and tell the facts; whoever calls them holds the lock on the payable's row and writes both down in one
//! transaction. [`messages`] takes what a provider says, [`losses`] what it gave back by itself, [`work`] decides what a
//! provider is told.

mod losses;
mod messages;
#[cfg(test)]
mod tests;
mod work;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::fact::Fact;
use crate::domain::payable::{Payable, PayableState};
use crate::domain::policy::MAX_ATTEMPTS;
use crate::domain::provider::Provider;
use crate::domain::refund::{Refund, RefundState};
use crate::domain::refusal::Refusal;
use crate::domain::reversal::{Reversal, ReversalState};

/// A payable with its attempts, refunds and reversals, each in the order of its making.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Book {
    pub payable: Payable,
    pub attempts: Vec<Attempt>,
    pub refunds: Vec<Refund>,
    pub reversals: Vec<Reversal>,
}

/// A refund as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewRefund {
    pub id: Uuid,
    pub owner_reference: String,
    pub amount: i64,
    pub reason_code: String,
}

impl Book {
    /// The book of a payable that was just opened.
    pub fn open(payable: Payable) -> (Self, Vec<Fact>) {
        let book = Self {
            payable,
            attempts: Vec::new(),
            refunds: Vec::new(),
            reversals: Vec::new(),
        };
        (book, vec![Fact::Opened])
    }

    /// An attempt of this payable.
    pub fn attempt(&self, id: Uuid) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// The attempt that paid.
    pub fn paying(&self) -> Option<&Attempt> {
        self.attempt(self.payable.payment?.attempt_id)
    }

    /// Sum of the completed refunds.
    pub fn refunded(&self) -> i64 {
        self.sum_of_refunds(|state| state == RefundState::Completed)
    }

    fn sum_of_refunds(&self, counts: impl Fn(RefundState) -> bool) -> i64 {
        let counted = self.refunds.iter().filter(|refund| counts(refund.state));
        counted.map(|refund| refund.amount).sum()
    }

    /// Reversals of an attempt that are not at their end.
    pub fn open_reversals(&self, attempt_id: Uuid) -> impl Iterator<Item = &Reversal> {
        self.reversals.iter().filter(move |reversal| {
            reversal.attempt_id == attempt_id && reversal.state == ReversalState::Open
        })
    }

    /// Whether the payable can be paid at this instant.
    ///
    /// # Errors
    /// Why not.
    pub fn payable_now(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.payable.state {
            PayableState::Paid => Err(Refusal::Paid),
            PayableState::Cancelled => Err(Refusal::Cancelled),
            PayableState::Expired => Err(Refusal::Expired),
            PayableState::Open if self.payable.expires_at <= now => Err(Refusal::Expired),
            PayableState::Open => Ok(()),
        }
    }

    /// Attempts on which the payer can still succeed.
    fn under_way(&self, now: DateTime<Utc>) -> impl DoubleEndedIterator<Item = &Attempt> {
        self.attempts
            .iter()
            .filter(move |attempt| attempt.state == AttemptState::Started && attempt.expires_at > now)
    }

    /// The way to the provider's page that is taken again instead of one more, where there are as many under way as there may be: the latest.
    pub fn taken_again(&self, provider: Provider, now: DateTime<Utc>) -> Option<&Attempt> {
        let latest = self.under_way(now).rfind(|attempt| attempt.provider == provider);
        latest.filter(|_| self.is_full(now) && provider == Provider::Cmi)
    }

    fn is_full(&self, now: DateTime<Utc>) -> bool {
        self.under_way(now).count() >= MAX_ATTEMPTS
    }

    /// Whether another attempt with this provider may start.
    ///
    /// # Errors
    /// Why not.
    pub fn may_start(&self, provider: Provider, now: DateTime<Utc>) -> Result<(), Refusal> {
        self.payable_now(now)?;
        if self.attempts.iter().any(|attempt| attempt.is_confirming(now)) {
            return Err(Refusal::Confirming);
        }
        if self.is_full(now) && self.taken_again(provider, now).is_none() {
            return Err(Refusal::TooManyAttempts);
        }
        let waiting = self
            .under_way(now)
            .any(|attempt| attempt.provider == Provider::TextMessage && attempt.declines == 0);
        if provider == Provider::TextMessage && waiting {
            return Err(Refusal::TextMessagePending);
        }
        Ok(())
    }

    /// Starts an attempt.
    ///
    /// # Errors
    /// [`Book::may_start`]; [`Refusal::TooManyAttempts`] where one is to be taken again.
    pub fn start_attempt(&mut self, attempt: Attempt, now: DateTime<Utc>) -> Result<Vec<Fact>, Refusal> {
        self.may_start(attempt.provider, now)?;
        if self.is_full(now) {
            return Err(Refusal::TooManyAttempts);
        }
        let attempt_id = attempt.id;
        self.attempts.push(attempt);
        Ok(vec![Fact::AttemptStarted { attempt_id }])
    }

    /// The owner withdraws it. What has ended already stays as it is.
    ///
    /// # Errors
    /// [`Refusal::Paid`].
    pub fn cancel(&mut self) -> Result<Vec<Fact>, Refusal> {
        match self.payable.state {
            PayableState::Paid => Err(Refusal::Paid),
            PayableState::Cancelled | PayableState::Expired => Ok(Vec::new()),
            PayableState::Open => {
                self.payable.state = PayableState::Cancelled;
                Ok(vec![Fact::Cancelled])
            }
        }
    }

    /// Ends an open payable whose time has passed.
    pub fn expire(&mut self, now: DateTime<Utc>) -> Vec<Fact> {
        if self.payable.state == PayableState::Open && self.payable.expires_at <= now {
            self.payable.state = PayableState::Expired;
            return vec![Fact::Expired];
        }
        Vec::new()
    }

    /// The owner wants money given back: the refund, and what happened where it is new.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn request_refund(
        &mut self,
        wanted: NewRefund,
        now: DateTime<Utc>,
    ) -> Result<(Refund, Vec<Fact>), Refusal> {
        let same = |refund: &&Refund| refund.owner_reference == wanted.owner_reference;
        if let Some(refund) = self.refunds.iter().find(same) {
            let repeated = refund.amount == wanted.amount && refund.reason_code == wanted.reason_code;
            return repeated
                .then(|| (refund.clone(), Vec::new()))
                .ok_or(Refusal::RefundExists);
        }
        let Some(payment) = self.payable.payment else {
            return Err(Refusal::NotPaid);
        };
        let taken = self.sum_of_refunds(|state| state != RefundState::Failed);
        if wanted.amount > self.payable.amount - taken {
            return Err(Refusal::RefundTooMuch);
        }
        let refund = Refund {
            id: wanted.id,
            attempt_id: payment.attempt_id,
            owner_reference: wanted.owner_reference,
            amount: wanted.amount,
            state: RefundState::Requested,
            reason_code: wanted.reason_code,
            refusals: 0,
            refused_since: None,
            not_before: None,
            sent_at: None,
            created_at: now,
            completed_at: None,
            released: false,
        };
        self.refunds.push(refund.clone());
        if let Some(attempt) = self.attempt_mut(payment.attempt_id) {
            attempt.look_at(Some(now));
        }
        let refund_id = refund.id;
        Ok((refund, vec![Fact::RefundRequested { refund_id }]))
    }

    /// The refunds of an attempt that the provider had refused for good are tried anew, after a look whether they were done all the same.
    ///
    /// # Errors
    /// [`Refusal::RefundNotFailed`]; [`Refusal::RefundTooMuch`] where others have taken their place.
    pub fn retry_refunds(&mut self, attempt_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Fact>, Refusal> {
        let mut left = self.payable.amount - self.sum_of_refunds(|state| state != RefundState::Failed);
        let mut refusal = Refusal::RefundNotFailed;
        let mut facts = Vec::new();
        let failed =
            |refund: &&mut Refund| refund.attempt_id == attempt_id && refund.state == RefundState::Failed;
        for refund in self.refunds.iter_mut().filter(failed) {
            if refund.amount > left {
                refusal = Refusal::RefundTooMuch;
                continue;
            }
            left -= refund.amount;
            refund.state = RefundState::Requested;
            (refund.refused_since, refund.not_before) = (None, None);
            facts.push(Fact::RefundRequested { refund_id: refund.id });
        }
        if facts.is_empty() {
            return Err(refusal);
        }
        self.look(attempt_id, Some(now));
        Ok(facts)
    }

    fn attempt_mut(&mut self, id: Uuid) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|attempt| attempt.id == id)
    }
}
