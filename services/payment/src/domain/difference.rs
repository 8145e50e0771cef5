//! Where our books and a provider's do not agree.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::attempt::AttemptState;
use crate::domain::book::Book;
use crate::domain::policy::{MAX_REFUSALS, Policy};
use crate::domain::provider::Status;
use crate::domain::refund::RefundState;

crate::domain::names! {
    /// What does not agree.
    Reason {
        ProviderHasMore = "PROVIDER_HAS_MORE",
        ProviderHasLess = "PROVIDER_HAS_LESS",
        NotCaptured = "NOT_CAPTURED",
        VoidFailed = "VOID_FAILED",
        RefundFailed = "REFUND_FAILED",
        /// The provider gave a payment back by itself.
        PaymentLost = "PAYMENT_LOST",
        /// A proven message named a transaction that belongs to another order.
        TransactionDoubled = "TRANSACTION_DOUBLED",
        /// The provider does not answer about this attempt.
        Unanswered = "UNANSWERED",
        /// The provider's answer says nothing.
        Unreadable = "UNREADABLE",
    }
}

/// How long after its time a capture may still be on its way.
const CAPTURE_GRACE: TimeDelta = TimeDelta::hours(1);
/// How long after its last change money of an attempt may still move by itself.
const SETTLEMENT: TimeDelta = TimeDelta::days(3);

/// One difference of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    pub reason: Reason,
    pub ours: i64,
    pub theirs: i64,
}

/// The differences that our own book knows of: what a provider refuses to give back, or to capture, and what it gave back by itself.
pub fn stuck(book: &Book, attempt_id: Uuid) -> Vec<Difference> {
    let refused: i64 = book
        .open_reversals(attempt_id)
        .filter(|reversal| reversal.refusals >= MAX_REFUSALS)
        .map(|reversal| reversal.amount)
        .sum();
    let failed: i64 = book
        .refunds
        .iter()
        .filter(|refund| refund.attempt_id == attempt_id && refund.state == RefundState::Failed)
        .map(|refund| refund.amount)
        .sum();
    let uncaptured = book
        .attempt(attempt_id)
        .filter(|attempt| {
            attempt.state == AttemptState::Authorised && attempt.capture_refusals >= MAX_REFUSALS
        })
        .map_or(0, |_| book.payable.amount);
    let lost = book
        .lost()
        .filter(|attempt| attempt.id == attempt_id)
        .map_or(0, |_| book.payable.amount - book.refunded());
    [
        (Reason::PaymentLost, lost, 0),
        (Reason::VoidFailed, 0, refused),
        (Reason::RefundFailed, 0, failed),
        (Reason::NotCaptured, uncaptured, 0),
    ]
    .into_iter()
    .filter(|(_, ours, theirs)| *ours + *theirs > 0)
    .map(|(reason, ours, theirs)| Difference { reason, ours, theirs })
    .collect()
}

/// What is known where the provider says nothing, or nothing that can be read.
pub fn untold(book: &Book, attempt_id: Uuid, reason: Reason) -> Difference {
    Difference {
        reason,
        ours: held(book, attempt_id),
        theirs: 0,
    }
}

/// Whether nothing of an attempt is left to happen, and what happened last has had its time to show at the provider: having agreed with it
/// then, it is not compared again unless it changes.
pub fn settled(book: &Book, attempt_id: Uuid, now: DateTime<Utc>) -> bool {
    let Some(attempt) = book.attempt(attempt_id) else {
        return false;
    };
    let still = !matches!(
        attempt.state,
        AttemptState::Started | AttemptState::Authorised | AttemptState::Voiding
    ) && attempt.due_at.is_none();
    let of_refunds = book
        .refunds
        .iter()
        .filter(|refund| refund.attempt_id == attempt_id)
        .map(|refund| refund.completed_at);
    let of_reversals = book
        .reversals
        .iter()
        .filter(|reversal| reversal.attempt_id == attempt_id)
        .map(|reversal| reversal.ended_at);
    // None where one of them is not at its end.
    let ends: Option<Vec<DateTime<Utc>>> = of_refunds.chain(of_reversals).collect();
    let last = ends.map(|ends| {
        let own = attempt
            .expires_at
            .max(attempt.captured_at.unwrap_or(attempt.expires_at));
        ends.into_iter().fold(own, DateTime::max)
    });
    still && last.is_some_and(|last| now >= last + SETTLEMENT)
}

/// All differences between our book of an attempt and what its provider says.
pub fn between(
    book: &Book,
    attempt_id: Uuid,
    status: &Status,
    now: DateTime<Utc>,
    policy: &Policy,
) -> Vec<Difference> {
    let mut found = stuck(book, attempt_id);
    let (ours, theirs) = (held(book, attempt_id), status.held());
    let reason = match theirs.cmp(&ours) {
        std::cmp::Ordering::Greater => Some(Reason::ProviderHasMore),
        std::cmp::Ordering::Less => Some(Reason::ProviderHasLess),
        std::cmp::Ordering::Equal => None,
    };
    found.extend(reason.map(|reason| Difference { reason, ours, theirs }));
    let late = book
        .attempt(attempt_id)
        .filter(|attempt| attempt.state == AttemptState::Authorised)
        .and_then(|attempt| attempt.authorisation.as_ref())
        .is_some_and(|authorisation| now >= authorisation.at + policy.capture_after + CAPTURE_GRACE);
    if late
        && found
            .iter()
            .all(|difference| difference.reason != Reason::NotCaptured)
    {
        found.push(Difference {
            reason: Reason::NotCaptured,
            ours: book.payable.amount,
            theirs: status.live().map(|sale| sale.captured).sum(),
        });
    }
    found
}

/// What the provider holds for this attempt as far as we know: the success, and what is still to be given back.
fn held(book: &Book, attempt_id: Uuid) -> i64 {
    let amount = book.payable.amount;
    let success = book
        .attempt(attempt_id)
        .filter(|attempt| attempt.holds())
        .map_or(0, |_| amount);
    let reversals: i64 = book
        .open_reversals(attempt_id)
        .map(|reversal| reversal.amount)
        .sum();
    let refunds: i64 = book
        .refunds
        .iter()
        .filter(|refund| {
            refund.attempt_id == attempt_id && refund.state == RefundState::Completed && !refund.released
        })
        .map(|refund| refund.amount)
        .sum();
    success + reversals - refunds
}
