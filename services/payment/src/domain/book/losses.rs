//! Money that the provider no longer has for us although it said so once: a void in its own back office, an authorisation that lapsed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Book;
use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::fact::Fact;
use crate::domain::policy::Policy;
use crate::domain::provider::{SaleState, Status};
use crate::domain::refund::RefundState;

impl Book {
    /// The attempt that paid, where the provider has given its money back by itself. The payable stays paid: what is done about that is its
    /// owner's to decide.
    pub fn lost(&self) -> Option<&Attempt> {
        self.paying()
            .filter(|attempt| attempt.state == AttemptState::Voided)
    }

    /// The payment is voided or declined by the provider's own status.
    pub(super) fn see_loss(&mut self, attempt_id: Uuid, status: &Status) -> Vec<Fact> {
        let gone = |attempt: &Attempt| {
            let sale = attempt
                .authorisation
                .as_ref()
                .and_then(|authorisation| status.sale(&authorisation.transaction));
            sale.is_some_and(|sale| matches!(sale.state, SaleState::Voided | SaleState::Declined))
        };
        match self.attempt_mut(attempt_id) {
            Some(attempt) if attempt.holds() && gone(attempt) => {
                attempt.state = AttemptState::Voided;
                vec![Fact::PaymentLost { attempt_id }]
            }
            _ => Vec::new(),
        }
    }

    /// What is to be refunded of a payment that was lost is with the payer already: it is completed, and no money leaves.
    pub(super) fn release_refunds(&mut self, attempt_id: Uuid, now: DateTime<Utc>) -> Vec<Fact> {
        if self.lost().is_none_or(|attempt| attempt.id != attempt_id) {
            return Vec::new();
        }
        let open: Vec<Uuid> = self.open_refunds(attempt_id).map(|refund| refund.id).collect();
        for refund in self.refunds.iter_mut().filter(|refund| open.contains(&refund.id)) {
            refund.released = true;
        }
        open.into_iter()
            .flat_map(|id| self.complete_refund(id, now))
            .collect()
    }

    /// What the provider no longer knows cannot be captured, and so not be given back: a person must look.
    pub(super) fn see_absence(
        &mut self,
        attempt_id: Uuid,
        status: &Status,
        now: DateTime<Utc>,
        policy: &Policy,
    ) -> Vec<Fact> {
        let absent = self
            .attempt(attempt_id)
            .filter(|attempt| attempt.state == AttemptState::Authorised)
            .and_then(|attempt| attempt.authorisation.as_ref())
            .is_some_and(|authorisation| {
                now >= authorisation.at + policy.capture_after
                    && status.sale(&authorisation.transaction).is_none()
            });
        match absent {
            true => self.fail_refunds(attempt_id),
            false => Vec::new(),
        }
    }

    /// None of the open refunds of an attempt can be done.
    pub(super) fn fail_refunds(&mut self, attempt_id: Uuid) -> Vec<Fact> {
        let open = self
            .refunds
            .iter_mut()
            .filter(|refund| refund.attempt_id == attempt_id && refund.state == RefundState::Requested);
        open.map(|refund| {
            refund.state = RefundState::Failed;
            Fact::RefundFailed { refund_id: refund.id }
        })
        .collect()
    }
}
