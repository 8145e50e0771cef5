//! What payment says of an order, asked when its page is shown.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::payment::v1 as payment;

use crate::api::civil_status::payment::word;
use crate::api::payments;
use crate::app::App;
use crate::language::text;
use crate::pages::Frame;

/// What is to be paid, or was.
#[derive(Default)]
pub(super) struct Paying {
    /// What the latest attempt means.
    pub(super) attempt: Option<String>,
    pub(super) declined: bool,
    pub(super) pay: Option<String>,
    pub(super) again: bool,
    pub(super) receipt: Option<String>,
    /// Payment knows more than the order, which has not heard of it yet.
    pub(super) word: Option<Word>,
}

/// What is said in place of an order that still waits for its payment.
pub(super) struct Word {
    /// The money is there.
    pub(super) received: bool,
    pub(super) name: &'static str,
    pub(super) order: &'static str,
    pub(super) line: &'static str,
}

/// Asks payment; nothing where it cannot be asked, since the order's own text tells what is waited for.
pub(super) async fn ask(app: &App, frame: &Frame, order: &pb::Order) -> Paying {
    if order.payable_id.is_empty() {
        return Paying::default();
    }
    let request = payment::GetPaymentRequest {
        payable_id: order.payable_id.clone(),
    };
    let Ok(answer) = app.clients.payments().get_payment(request).await else {
        return Paying::default();
    };
    let Some(payable) = answer.into_inner().payable else {
        return Paying::default();
    };
    let open = payable.state() == payment::PayableState::Open;
    let paid = payable.state() == payment::PayableState::Paid;
    let confirming = payments::confirming(&payable);
    let latest = confirming.or_else(|| payable.attempts.last());
    let says = |key: &'static str| text(frame.language, key);
    let word = word(order.state(), payable.state()).map(|word| Word {
        received: word.received,
        name: says(word.name),
        order: says(word.order),
        line: says(word.line),
    });
    Paying {
        attempt: latest
            .filter(|_| open)
            .map(|attempt| payments::attempt_text(frame.language, attempt)),
        declined: confirming.is_none() && latest.is_some_and(|attempt| !attempt.decline_code.is_empty()),
        pay: (open && confirming.is_none()).then(|| format!("/payments/{}/start", payable.payable_id)),
        again: !payable.attempts.is_empty(),
        receipt: paid.then(|| format!("/payments/{}/receipt", payable.payable_id)),
        word,
    }
}
