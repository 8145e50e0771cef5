//! What providers say and are told, whoever they are.

use uuid::Uuid;

crate::domain::names! {
    /// The providers.
    Provider {
        Cmi = "cmi",
        TextMessage = "text-message",
    }
}

/// A verified success.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Success {
    /// The provider's transaction.
    pub transaction: String,
    pub amount: i64,
    /// The card was issued abroad, where the provider says.
    pub international: Option<bool>,
    /// The payer was authenticated as they must be; otherwise it is given back.
    pub authentic: bool,
}

/// What a success is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The provider shall capture.
    Capture,
    /// Taken note of; nothing is captured.
    Noted,
}

/// State of a transaction at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaleState {
    Declined,
    Pending,
    Authorised,
    Captured,
    Voided,
}

/// A transaction as the provider's status has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sale {
    pub transaction: String,
    pub state: SaleState,
    pub amount: i64,
    pub captured: i64,
    /// Whether the payer was authenticated, where the status says. Where it does not, it pays nothing.
    pub authentic: Option<bool>,
    /// The card was issued abroad, where the status says.
    pub international: Option<bool>,
}

/// A credit as the provider's status has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Credit {
    /// Our id of it, where the provider keeps one.
    pub id: Option<Uuid>,
    pub amount: i64,
}

/// What the provider says of one order id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Status {
    pub sales: Vec<Sale>,
    pub credits: Vec<Credit>,
}

impl Status {
    /// The transaction, where it is known.
    pub fn sale(&self, transaction: &str) -> Option<&Sale> {
        self.sales.iter().find(|sale| sale.transaction == transaction)
    }

    /// Transactions that hold money.
    pub fn live(&self) -> impl Iterator<Item = &Sale> {
        self.sales
            .iter()
            .filter(|sale| matches!(sale.state, SaleState::Authorised | SaleState::Captured))
    }

    /// Money that the provider took and has not given back.
    pub fn held(&self) -> i64 {
        self.live().map(|sale| sale.amount).sum::<i64>() - self.credited()
    }

    /// Sum of the credits.
    pub fn credited(&self) -> i64 {
        self.credits.iter().map(|credit| credit.amount).sum()
    }

    /// Whether a transaction is still under way.
    pub fn pending(&self) -> bool {
        self.sales.iter().any(|sale| sale.state == SaleState::Pending)
    }
}

/// What is to be done at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Act {
    /// Tell it of the attempt (text message).
    Tell,
    Capture {
        transaction: String,
    },
    /// Give a transaction back whole.
    Void {
        reversal_id: Uuid,
        transaction: String,
        amount: i64,
    },
    /// Give back what a transaction that cannot be voided took.
    CreditReversal {
        reversal_id: Uuid,
        amount: i64,
    },
    /// Give back part of what was captured.
    CreditRefund {
        refund_id: Uuid,
        amount: i64,
    },
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Done,
    /// The provider says no.
    Refused,
    /// No answer, or one that does not say: it may have happened.
    Unknown,
}
