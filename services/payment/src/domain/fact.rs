//! What happened to a payable: one event each.

use uuid::Uuid;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Opened,
    AttemptStarted {
        attempt_id: Uuid,
    },
    AttemptDeclined {
        attempt_id: Uuid,
        code: String,
    },
    Paid {
        attempt_id: Uuid,
    },
    /// The provider gave the payment's money back by itself.
    PaymentLost {
        attempt_id: Uuid,
    },
    AttemptCaptured {
        attempt_id: Uuid,
    },
    /// `further`: beside the attempt's own success.
    AttemptVoiding {
        attempt_id: Uuid,
        further: bool,
    },
    AttemptVoided {
        attempt_id: Uuid,
        further: bool,
    },
    AttemptEnded {
        attempt_id: Uuid,
    },
    Cancelled,
    Expired,
    RefundRequested {
        refund_id: Uuid,
    },
    RefundCompleted {
        refund_id: Uuid,
    },
    RefundFailed {
        refund_id: Uuid,
    },
}
