//! Something to be paid.

use chrono::{DateTime, Utc};
use uuid::Uuid;

crate::domain::names! {
    /// States of a payable.
    PayableState {
        Open = "OPEN",
        Paid = "PAID",
        Cancelled = "CANCELLED",
        Expired = "EXPIRED",
    }
}

/// One position.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Item {
    pub reference: String,
    pub label_ar: String,
    pub label_fr: String,
    pub amount: i64,
}

/// Who pays. It does not print.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payer {
    pub person_id: Uuid,
    pub name: String,
    pub email: String,
    pub phone: String,
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Payer").finish_non_exhaustive()
    }
}

/// Number of a receipt: dense within a civil year (Africa/Casablanca).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReceiptNumber {
    pub year: i32,
    pub number: i32,
}

impl std::fmt::Display for ReceiptNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{:06}", self.year, self.number)
    }
}

/// That it was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Payment {
    pub attempt_id: Uuid,
    pub at: DateTime<Utc>,
    /// Given when the payment is written down.
    pub receipt: Option<ReceiptNumber>,
}

/// Something to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Payable {
    pub id: Uuid,
    pub version: i64,
    pub owner: String,
    pub owner_reference: String,
    /// What people call it; empty where the owner did not say.
    pub display_reference: String,
    pub state: PayableState,
    /// Sum of the items, at least 1.
    pub amount: i64,
    pub items: Vec<Item>,
    pub payer: Payer,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub payment: Option<Payment>,
}

impl Payable {
    /// As a receipt names it.
    pub fn shown_reference(&self) -> &str {
        match self.display_reference.as_str() {
            "" => &self.owner_reference,
            shown => shown,
        }
    }
}
