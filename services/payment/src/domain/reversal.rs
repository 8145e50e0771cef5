//! Money that a provider took and that nobody is owed, on its way back.

use chrono::{DateTime, Utc};
use uuid::Uuid;

crate::domain::names! {
    /// States of a reversal.
    ReversalState {
        Open = "OPEN",
        /// The transaction was voided.
        Voided = "VOIDED",
        /// The transaction could no longer be voided; its amount was credited.
        Credited = "CREDITED",
    }
}

/// One transaction to be given back whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reversal {
    pub id: Uuid,
    pub attempt_id: Uuid,
    pub transaction: String,
    pub amount: i64,
    pub state: ReversalState,
    /// How often the provider has refused it.
    pub refusals: i32,
    /// What was refused or not answered is not sent again before.
    pub not_before: Option<DateTime<Utc>>,
    /// When a credit was sent that was not answered, or refused: it may have been done.
    pub sent_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}
