//! Part of what was paid, given back.

use chrono::{DateTime, Utc};
use uuid::Uuid;

crate::domain::names! {
    /// States of a refund.
    RefundState {
        Requested = "REQUESTED",
        Completed = "COMPLETED",
        Failed = "FAILED",
    }
}

/// Money that the owner wants given back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refund {
    pub id: Uuid,
    /// The attempt that paid.
    pub attempt_id: Uuid,
    pub owner_reference: String,
    pub amount: i64,
    pub state: RefundState,
    pub reason_code: String,
    /// How often the provider has refused it.
    pub refusals: i32,
    /// When it was first refused since it was asked for, or tried anew.
    pub refused_since: Option<DateTime<Utc>>,
    /// What was refused is not sent again before.
    pub not_before: Option<DateTime<Utc>>,
    /// When it was sent and not answered, or refused: it may have been done.
    pub sent_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    /// No money left for it: the provider had given the payment back by itself.
    pub released: bool,
}
