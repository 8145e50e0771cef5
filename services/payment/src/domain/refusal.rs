//! Why a payable does not allow what is asked.

/// A rule that stands against a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the payable is paid")]
    Paid,
    #[error("the payable was cancelled")]
    Cancelled,
    #[error("the payable has expired")]
    Expired,
    #[error("the payable is not paid")]
    NotPaid,
    #[error("the refund is more than what is left of the payment")]
    RefundTooMuch,
    #[error("the refund was requested before with another amount")]
    RefundExists,
    #[error("no refund has failed")]
    RefundNotFailed,
    #[error("a success is being confirmed: paying again would be paying twice")]
    Confirming,
    #[error("as many attempts are under way as may be")]
    TooManyAttempts,
    #[error("a request to a phone is waiting for its answer")]
    TextMessagePending,
    #[error("this phone or payer has had as many requests today as there may be")]
    TextMessageQuota,
}

impl Refusal {
    /// The stable code.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Paid => "PAYABLE_PAID",
            Self::Cancelled => "PAYABLE_CANCELLED",
            Self::Expired => "PAYABLE_EXPIRED",
            Self::NotPaid => "PAYABLE_NOT_PAID",
            Self::RefundTooMuch => "REFUND_TOO_MUCH",
            Self::RefundExists => "REFUND_EXISTS",
            Self::RefundNotFailed => "REFUND_NOT_FAILED",
            Self::Confirming => "PAYMENT_CONFIRMING",
            Self::TooManyAttempts => "TOO_MANY_ATTEMPTS",
            Self::TextMessagePending => "TEXT_MESSAGE_PENDING",
            Self::TextMessageQuota => "TEXT_MESSAGE_QUOTA",
        }
    }
}
