//! What payment knows of an order that has not heard of it yet.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::payment::v1 as payment;

use crate::api::payments;
use crate::app::App;

/// What is said in place of an order that still waits for its payment: keys of texts.
pub(crate) struct Word {
    /// The money is there.
    pub(crate) received: bool,
    /// Machine-readable, as the progress of what waits.
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) order: &'static str,
    pub(crate) line: &'static str,
}

/// Asks payment of an order that waits for it; nothing where it cannot be asked, since the order's own text tells what is waited for.
pub(crate) async fn payable_of(app: &App, order: &pb::Order) -> Option<payment::Payable> {
    if order.state() != pb::OrderState::AwaitingPayment || order.payable_id.is_empty() {
        return None;
    }
    let request = payment::GetPaymentRequest {
        payable_id: order.payable_id.clone(),
    };
    let answer = app.clients.payments().get_payment(request).await.ok()?;
    answer.into_inner().payable
}

/// What an order does not know yet.
pub(crate) fn word(order: pb::OrderState, payable: payment::PayableState) -> Option<Word> {
    use payment::PayableState as S;
    if order != pb::OrderState::AwaitingPayment {
        return None;
    }
    match payable {
        S::Paid => Some(Word {
            received: true,
            code: "PAYMENT_RECEIVED",
            name: "order_name.payment_received",
            order: "order_text.payment_received",
            line: "line_text.payment_received",
        }),
        S::Cancelled => Some(Word {
            received: false,
            code: "PAYMENT_CANCELLED",
            name: "order_name.cancelled",
            order: payments::payable_text_key(payable),
            line: "line_text.cancelled",
        }),
        S::Expired => Some(Word {
            received: false,
            code: "PAYMENT_EXPIRED",
            name: "order_name.expired",
            order: payments::payable_text_key(payable),
            line: "line_text.expired",
        }),
        S::Open | S::Unspecified => None,
    }
}
