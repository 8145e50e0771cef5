//! A payment asked for by text message.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// In the journal.
pub(super) const KIND: &str = "text_payment";

/// What the merchant asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) id: String,
    /// E.164.
    pub(super) phone: String,
    /// In centimes.
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) language: String,
    pub(super) text: String,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) callback_url: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) request: Request,
    pub(super) status: Status,
    pub(super) transactions: Vec<Transaction>,
    pub(super) reversals: Vec<Reversal>,
    pub(super) callbacks: Vec<Callback>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Pending,
    Confirmed,
    Declined,
    Expired,
    /// Of a transaction alone: given back whole.
    Reversed,
}

impl Status {
    /// Why a payment was declined, as it is told.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Declined => "declined_by_payer",
            _ => "",
        }
    }

    /// On the page.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Reversed => "reversed",
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transaction {
    pub(super) transaction: String,
    pub(super) amount: i64,
    pub(super) status: Status,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reversal {
    pub(super) id: String,
    pub(super) amount: i64,
    /// The transaction given back whole, or empty.
    #[serde(default)]
    pub(super) transaction: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Callback {
    pub(super) at: DateTime<Utc>,
    /// Absent when there was none, or when it was to be lost.
    pub(super) answer: Option<String>,
}

/// What is told to the merchant.
#[derive(Debug, Clone)]
pub(super) struct News {
    pub(super) status: Status,
    pub(super) transaction: String,
    /// Why it was declined; empty otherwise.
    pub(super) code: &'static str,
}

impl Payment {
    pub(super) fn new(request: Request) -> Self {
        Self {
            id: request.id.clone(),
            request,
            status: Status::Pending,
            transactions: Vec::new(),
            reversals: Vec::new(),
            callbacks: Vec::new(),
        }
    }

    /// The payer's answer, or the end of the time; a new transaction each time.
    pub(super) fn answer(&mut self, status: Status) -> News {
        let transaction = Uuid::new_v4().simple().to_string().to_uppercase();
        self.transactions.push(Transaction {
            transaction: transaction.clone(),
            amount: self.request.amount,
            status,
        });
        if self.status != Status::Confirmed {
            self.status = status;
        }
        News {
            status,
            transaction,
            code: status.code(),
        }
    }

    /// Whether the payer may still answer.
    pub(super) fn is_open(&self, now: DateTime<Utc>) -> bool {
        matches!(self.status, Status::Pending | Status::Declined) && now < self.request.expires_at
    }

    /// Gives money back, once for its id. Answers whether there was enough left.
    pub(super) fn reverse(&mut self, reversal: &Reversal) -> bool {
        if self.reversals.iter().any(|known| known.id == reversal.id) {
            return true;
        }
        let taken: i64 = self
            .transactions
            .iter()
            .filter(|one| matches!(one.status, Status::Confirmed | Status::Reversed))
            .map(|one| one.amount)
            .sum();
        let given: i64 = self.reversals.iter().map(|one| one.amount).sum();
        if reversal.amount <= 0 || reversal.amount > taken - given {
            return false;
        }
        if !reversal.transaction.is_empty() {
            let named = |one: &&mut Transaction| {
                let same = one.transaction == reversal.transaction && one.amount == reversal.amount;
                same && one.status == Status::Confirmed
            };
            match self.transactions.iter_mut().find(named) {
                Some(transaction) => transaction.status = Status::Reversed,
                None => return false,
            }
        }
        self.reversals.push(reversal.clone());
        true
    }
}
