//! The way out.

use prost::Message;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::app::list_statement::{Entry, Said};
use crate::app::start_attempt::Started;
use crate::domain::attempt::Attempt;
use crate::domain::book::Book;
use crate::domain::payable::Item;
use crate::domain::provider::{SaleState, Status};
use crate::domain::refund::Refund;
use crate::providers::Next;
use crate::store::differences::Listed;
use crate::wire;

pub(super) fn payable(book: &Book) -> pb::Payable {
    let payable = &book.payable;
    let payment = payable.payment;
    let receipt = payment.and_then(|payment| payment.receipt);
    pb::Payable {
        payable_id: payable.id.to_string(),
        owner: payable.owner.clone(),
        owner_reference: payable.owner_reference.clone(),
        state: wire::payable_state(payable.state).into(),
        amount_centimes: payable.amount,
        items: payable.items.iter().map(item).collect(),
        payer_person_id: payable.payer.person_id.to_string(),
        create_time: Some(wire::timestamp(payable.created_at)),
        expire_time: Some(wire::timestamp(payable.expires_at)),
        pay_time: payment.map(|payment| wire::timestamp(payment.at)),
        refunded_centimes: book.refunded(),
        attempts: book.attempts.iter().map(attempt).collect(),
        refunds: book.refunds.iter().map(refund).collect(),
        receipt_number: receipt.map(|receipt| receipt.to_string()).unwrap_or_default(),
        display_reference: payable.display_reference.clone(),
    }
}

fn item(item: &Item) -> pb::PayableItem {
    pb::PayableItem {
        reference: item.reference.clone(),
        label_ar: item.label_ar.clone(),
        label_fr: item.label_fr.clone(),
        amount_centimes: item.amount,
    }
}

pub(super) fn attempt(attempt: &Attempt) -> pb::Attempt {
    let authorisation = attempt.authorisation.as_ref();
    pb::Attempt {
        attempt_id: attempt.id.to_string(),
        provider: attempt.provider.as_str().to_owned(),
        provider_order_id: attempt.order_id.clone(),
        state: wire::attempt_state(attempt.state).into(),
        decline_code: attempt.decline_code.clone(),
        declines: attempt.declines,
        create_time: Some(wire::timestamp(attempt.created_at)),
        expire_time: Some(wire::timestamp(attempt.expires_at)),
        transaction_id: authorisation
            .map(|authorisation| authorisation.transaction.clone())
            .unwrap_or_default(),
        international: attempt.international,
        approved_return_time: attempt
            .returned_at
            .filter(|_| attempt.may_succeed())
            .map(wire::timestamp),
    }
}

pub(super) fn refund(refund: &Refund) -> pb::Refund {
    pb::Refund {
        refund_id: refund.id.to_string(),
        owner_reference: refund.owner_reference.clone(),
        amount_centimes: refund.amount,
        state: wire::refund_state(refund.state).into(),
        reason_code: refund.reason_code.clone(),
        create_time: Some(wire::timestamp(refund.created_at)),
        complete_time: refund.completed_at.map(wire::timestamp),
        released: refund.released,
    }
}

/// A started attempt as it is stored with its command. The form holds nothing secret: the browser gets all of it.
pub(super) fn started(started: &Started) -> Vec<u8> {
    let next = match &started.next {
        Next::Form { action_url, fields } => {
            let fields = fields.iter().map(|field| pb::FormField {
                name: field.name.clone(),
                value: field.value.clone(),
            });
            pb::start_attempt_response::Next::HostedForm(pb::HostedForm {
                action_url: action_url.clone(),
                fields: fields.collect(),
            })
        }
        Next::Phone => pb::start_attempt_response::Next::TextMessage(pb::TextMessagePrompt {
            masked_phone: masked(&started.attempt.phone),
            expire_time: Some(wire::timestamp(started.attempt.expires_at)),
        }),
    };
    let response = pb::StartAttemptResponse {
        attempt: Some(attempt(&started.attempt)),
        next: Some(next),
    };
    response.encode_to_vec()
}

/// All but the last two digits hidden.
fn masked(phone: &str) -> String {
    let length = phone.chars().count();
    phone
        .chars()
        .enumerate()
        .map(|(place, digit)| if place + 2 < length { '•' } else { digit })
        .collect()
}

pub(super) fn entry(entry: &Entry) -> pb::StatementEntry {
    let nothing = Status::default();
    let (status, word) = match &entry.said {
        Said::Status(status) => (status, word(status)),
        Said::Unreadable => (&nothing, "UNREADABLE"),
        Said::Unanswered => (&nothing, "UNANSWERED"),
    };
    pb::StatementEntry {
        attempt_id: entry.attempt.id.to_string(),
        payable_id: entry.payable_id.to_string(),
        owner_reference: entry.owner_reference.clone(),
        provider: entry.attempt.provider.as_str().to_owned(),
        provider_order_id: entry.attempt.order_id.clone(),
        status: word.to_owned(),
        authorised_centimes: status.live().map(|sale| sale.amount).sum(),
        captured_centimes: status.live().map(|sale| sale.captured).sum(),
        credited_centimes: status.credited(),
    }
}

fn word(status: &Status) -> &'static str {
    let any = |state| status.sales.iter().any(|sale| sale.state == state);
    if any(SaleState::Captured) {
        "CAPTURED"
    } else if any(SaleState::Authorised) {
        "AUTHORISED"
    } else if any(SaleState::Voided) {
        "VOIDED"
    } else if any(SaleState::Declined) {
        "DECLINED"
    } else {
        "NONE"
    }
}

pub(super) fn difference(listed: &Listed) -> pb::Difference {
    pb::Difference {
        attempt_id: listed.attempt_id.to_string(),
        payable_id: listed.payable_id.to_string(),
        provider: listed.provider.clone(),
        provider_order_id: listed.provider_order_id.clone(),
        reason: listed.reason.clone(),
        ours_centimes: listed.ours,
        theirs_centimes: listed.theirs,
        find_time: Some(wire::timestamp(listed.found_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_shows_its_last_two_digits() {
        assert_eq!(masked("+212600000012"), "•••••••••••12");
        assert_eq!(masked(""), "");
    }
}
