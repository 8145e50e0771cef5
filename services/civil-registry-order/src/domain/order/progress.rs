//! Machine words for what happens next.

use crate::domain::kind::SealMode;
use crate::domain::order::Order;
use crate::domain::order::fact::OutwardKind;
use crate::domain::order::line::Line;
use crate::domain::state::{LineState, OrderState, Path};
use uuid::Uuid;

/// Something that another service has not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    pub kind: OutwardKind,
    pub subject: Uuid,
    /// It was asked, and did not answer.
    pub hindered: bool,
}

/// What happens next to a line.
pub fn of_line(order: &Order, line: &Line, pending: &[Pending]) -> &'static str {
    let hindered = |kind: OutwardKind, subject: Uuid| {
        pending
            .iter()
            .any(|pending| pending.kind == kind && pending.subject == subject && pending.hindered)
    };
    match line.state {
        LineState::AwaitingPayment if order.payable_id.is_none() => "WAITING_FOR_PAYMENT_SERVICE",
        LineState::AwaitingPayment => "WAITING_FOR_PAYMENT",
        LineState::Paid => "WAITING_FOR_OFFICE",
        LineState::ToCorrect => "WAITING_FOR_CORRECTION",
        LineState::InProduction if line.withdrawing.is_some() => {
            if hindered(OutwardKind::WithdrawDocument, line.id) {
                "WAITING_FOR_SIGNATURE_SERVICE"
            } else {
                "WITHDRAWING"
            }
        }
        LineState::InProduction => in_production(line, hindered(OutwardKind::DepositDocument, line.id)),
        LineState::Produced => produced(order, line, pending),
        LineState::HandedOver => "ON_THE_WAY",
        LineState::Refunding if line.refund_failed => "REFUND_FAILED",
        LineState::Refunding if hindered(OutwardKind::RequestRefund, line.id) => {
            "WAITING_FOR_PAYMENT_SERVICE"
        }
        LineState::Refunding => "WAITING_FOR_REFUND",
        LineState::Delivered
        | LineState::Returned
        | LineState::Refunded
        | LineState::Cancelled
        | LineState::Expired => "ENDED",
    }
}

/// What happens next to a document that is being made.
pub fn in_production(line: &Line, hindered: bool) -> &'static str {
    let Some(document) = line
        .document
        .as_ref()
        .filter(|_| line.path == Some(Path::Digitised))
    else {
        return "WAITING_FOR_OFFICE";
    };
    if document.failure.is_some() {
        "PREPARATION_FAILED"
    } else if hindered {
        "WAITING_FOR_SIGNATURE_SERVICE"
    } else if document.object_key.is_none() || document.again.is_some() {
        "PREPARING"
    } else if document.seal_mode == SealMode::ByHand {
        "WAITING_FOR_SIGNATURE_BY_HAND"
    } else {
        "WAITING_FOR_SEAL"
    }
}

fn produced(order: &Order, line: &Line, pending: &[Pending]) -> &'static str {
    let Some(parcel) = line.parcel_id.and_then(|id| order.parcel(id)) else {
        return "WAITING_FOR_OTHER_LINES";
    };
    if order.waits_for_address(line) {
        return "WAITING_FOR_ADDRESS";
    }
    if parcel.shipment_id.is_none() {
        let asked = pending
            .iter()
            .any(|pending| pending.subject == parcel.id && pending.hindered);
        return if asked {
            "WAITING_FOR_POSTAL_SERVICE"
        } else {
            "WAITING_FOR_LABEL"
        };
    }
    if parcel.hand_over_at.is_some() {
        return "WAITING_FOR_POSTAL_SERVICE";
    }
    "WAITING_FOR_POST"
}

/// What happens next to the order as a whole.
pub fn of_order(order: &Order, pending: &[Pending]) -> &'static str {
    match order.state() {
        OrderState::AwaitingPayment if order.payable_id.is_none() => "WAITING_FOR_PAYMENT_SERVICE",
        OrderState::AwaitingPayment => "WAITING_FOR_PAYMENT",
        OrderState::ActionNeeded if order.lines.iter().any(|line| line.state == LineState::ToCorrect) => {
            "WAITING_FOR_CORRECTION"
        }
        OrderState::ActionNeeded => "WAITING_FOR_ADDRESS",
        OrderState::InProgress => {
            // The line that is least far says what the order waits for.
            let slowest = order.lines.iter().filter(|line| !line.state.is_final());
            slowest
                .min_by_key(|line| line.state)
                .map_or("ENDED", |line| of_line(order, line, pending))
        }
        OrderState::Completed | OrderState::Cancelled | OrderState::Expired | OrderState::Refunded => "ENDED",
    }
}
