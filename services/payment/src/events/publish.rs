//! A fact of a payable as the event that tells of it. Ids, states, codes and amounts only.

use uuid::Uuid;
use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::domain::book::Book;
use crate::domain::fact::Fact;
use crate::domain::refund::Refund;

/// Topic of everything that happens to payables.
pub const TOPIC: &str = "wathiq.payment.payable.v1";

/// The event for `fact`, which brought `book` to its present version.
pub fn event_of(book: &Book, fact: &Fact) -> NewEvent {
    let payable = &book.payable;
    let payable_id = payable.id.to_string();
    let (owner, owner_reference) = (payable.owner.clone(), payable.owner_reference.clone());
    let amount_centimes = payable.amount;
    match fact {
        Fact::Opened => event(
            book,
            &pb::PayableOpened {
                payable_id,
                owner,
                owner_reference,
                amount_centimes,
            },
        ),
        Fact::Paid { attempt_id } => event(
            book,
            &pb::PayablePaid {
                payable_id,
                owner,
                owner_reference,
                attempt_id: attempt_id.to_string(),
                amount_centimes,
            },
        ),
        Fact::PaymentLost { attempt_id } => event(
            book,
            &pb::PaymentLost {
                payable_id,
                owner,
                owner_reference,
                attempt_id: attempt_id.to_string(),
                amount_centimes,
            },
        ),
        Fact::Cancelled => event(
            book,
            &pb::PayableCancelled {
                payable_id,
                owner,
                owner_reference,
            },
        ),
        Fact::Expired => event(
            book,
            &pb::PayableExpired {
                payable_id,
                owner,
                owner_reference,
            },
        ),
        Fact::AttemptStarted { attempt_id } => {
            let attempt = book.attempt(*attempt_id);
            let provider = attempt.map(|attempt| attempt.provider.as_str().to_owned());
            event(
                book,
                &pb::AttemptStarted {
                    payable_id,
                    attempt_id: attempt_id.to_string(),
                    provider: provider.unwrap_or_default(),
                },
            )
        }
        Fact::AttemptDeclined { attempt_id, code } => event(
            book,
            &pb::AttemptDeclined {
                payable_id,
                attempt_id: attempt_id.to_string(),
                code: code.clone(),
            },
        ),
        Fact::AttemptCaptured { attempt_id } => event(
            book,
            &pb::AttemptCaptured {
                payable_id,
                attempt_id: attempt_id.to_string(),
            },
        ),
        Fact::AttemptVoiding { attempt_id, further } => event(
            book,
            &pb::AttemptVoiding {
                payable_id,
                attempt_id: attempt_id.to_string(),
                further: *further,
            },
        ),
        Fact::AttemptVoided { attempt_id, further } => event(
            book,
            &pb::AttemptVoided {
                payable_id,
                attempt_id: attempt_id.to_string(),
                further: *further,
            },
        ),
        Fact::AttemptEnded { attempt_id } => event(
            book,
            &pb::AttemptEnded {
                payable_id,
                attempt_id: attempt_id.to_string(),
            },
        ),
        Fact::RefundRequested { refund_id }
        | Fact::RefundCompleted { refund_id }
        | Fact::RefundFailed { refund_id } => of_refund(book, fact, *refund_id),
    }
}

fn of_refund(book: &Book, fact: &Fact, refund_id: Uuid) -> NewEvent {
    let refund: Option<&Refund> = book.refunds.iter().find(|refund| refund.id == refund_id);
    let told = pb::RefundRequested {
        payable_id: book.payable.id.to_string(),
        refund_id: refund_id.to_string(),
        owner: book.payable.owner.clone(),
        owner_reference: book.payable.owner_reference.clone(),
        refund_reference: refund
            .map(|refund| refund.owner_reference.clone())
            .unwrap_or_default(),
        amount_centimes: refund.map_or(0, |refund| refund.amount),
    };
    match fact {
        Fact::RefundCompleted { .. } => event(
            book,
            &pb::RefundCompleted {
                payable_id: told.payable_id,
                refund_id: told.refund_id,
                owner: told.owner,
                owner_reference: told.owner_reference,
                refund_reference: told.refund_reference,
                amount_centimes: told.amount_centimes,
                released: refund.is_some_and(|refund| refund.released),
            },
        ),
        Fact::RefundFailed { .. } => event(
            book,
            &pb::RefundFailed {
                payable_id: told.payable_id,
                refund_id: told.refund_id,
                owner: told.owner,
                owner_reference: told.owner_reference,
                refund_reference: told.refund_reference,
                amount_centimes: told.amount_centimes,
            },
        ),
        _ => event(book, &told),
    }
}

fn event<M: prost::Message + prost::Name>(book: &Book, message: &M) -> NewEvent {
    NewEvent::of(TOPIC, book.payable.id, book.payable.version, message)
}
