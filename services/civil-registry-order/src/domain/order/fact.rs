//! What happened to an order, and what others are to be asked for it.

use uuid::Uuid;

use crate::domain::state::{Alert, EndReason, Path};
use crate::domain::words::words;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Placed,
    Paid { lines: Vec<Uuid> },
    Expired { lines: Vec<Uuid> },
    Cancelled { lines: Vec<Uuid>, refunding: bool },
    Assigned { lines: Vec<Uuid> },
    ActFound { line: Uuid },
    EntitlementChecked { line: Uuid },
    Taken { lines: Vec<Uuid>, path: Path },
    Released { line: Uuid },
    DocumentPrepared { line: Uuid },
    CorrectionRequested { line: Uuid },
    Corrected { line: Uuid },
    Refused { line: Uuid },
    Refunding { lines: Vec<Uuid>, reason: EndReason },
    Refunded { line: Uuid },
    RefundFailed { line: Uuid },
    Produced { line: Uuid },
    ParcelReady { parcel: Uuid },
    HandedOver { parcel: Uuid },
    Tracked { parcel: Uuid },
    Delivered { parcel: Uuid },
    Returned { parcel: Uuid },
    Alerted { line: Uuid, alert: Alert },
}

words! {
    /// What another service is asked. Written down before it is asked, in the transaction that makes it due.
    pub enum OutwardKind {
        /// Payment; the subject is the order.
        OpenPayable = "OPEN_PAYABLE",
        /// Payment, because the citizen cancelled; the subject is the order.
        CancelPayable = "CANCEL_PAYABLE",
        /// Payment, because nobody paid in time; the subject is the order.
        ExpirePayable = "EXPIRE_PAYABLE",
        /// Payment; the subject is the line.
        RequestRefund = "REQUEST_REFUND",
        /// Draws the document and, where it is to be sealed, gives it to signature; the subject is the line.
        DepositDocument = "DEPOSIT_DOCUMENT",
        /// Signature; the subject is the line.
        WithdrawDocument = "WITHDRAW_DOCUMENT",
        /// Postal-shipping; the subject is the parcel.
        CreateShipment = "CREATE_SHIPMENT",
        /// Postal-shipping; the subject is the hand-over.
        HandOver = "HAND_OVER",
    }
}

/// Something to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub kind: OutwardKind,
    /// What is asked for one subject is asked in order.
    pub subject: Uuid,
}
