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
        /// The provider's answer says nothing.
        Unreadable = "UNREADABLE",
    }
}

/// How long after its time a capture may still be on its way.
const CAPTURE_GRACE: TimeDelta = TimeDelta::hours(1);

/// One difference of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    pub reason: Reason,
    pub ours: i64,
    pub theirs: i64,
}

/// The differences that our own book knows of: what a provider refuses to give back, or to capture.
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
    [
        (Reason::VoidFailed, 0, refused),
        (Reason::RefundFailed, 0, failed),
        (Reason::NotCaptured, uncaptured, 0),
    ]
    .into_iter()
    .filter(|(_, ours, theirs)| *ours + *theirs > 0)
    .map(|(reason, ours, theirs)| Difference { reason, ours, theirs })
    .collect()
}

/// What is known where the provider's answer cannot be read.
pub fn unreadable(book: &Book, attempt_id: Uuid) -> Difference {
    Difference {
        reason: Reason::Unreadable,
        ours: held(book, attempt_id),
        theirs: 0,
    }
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
        .filter(|refund| refund.attempt_id == attempt_id && refund.state == RefundState::Completed)
        .map(|refund| refund.amount)
        .sum();
    success + reversals - refunds
}
