//! A provider in a few lines: it holds money, and does what it is told unless it is to fail.

use uuid::Uuid;

use super::AMOUNT;
use crate::domain::provider::{Act, Credit, Outcome, Sale, SaleState, Status};

/// How the next act goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Trouble {
    /// It is done, but the answer is lost.
    AnswerLost,
    /// It is not done, and there is no answer.
    NotDone,
    /// It is done, and answered with a refusal.
    Denied,
}

/// The accounts of the provider, by attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Bank {
    pub(super) orders: Vec<(Uuid, Status)>,
    pub(super) trouble: Option<Trouble>,
    /// The next void is refused.
    pub(super) void_refused: bool,
    /// No void is ever done.
    pub(super) voids_never: bool,
}

impl Bank {
    pub(super) fn new(attempts: &[Uuid]) -> Self {
        Self {
            orders: attempts.iter().map(|id| (*id, Status::default())).collect(),
            trouble: None,
            void_refused: false,
            voids_never: false,
        }
    }

    pub(super) fn order(&mut self, attempt: Uuid) -> &mut Status {
        let order = self.orders.iter_mut().find(|(id, _)| *id == attempt);
        &mut order.unwrap().1
    }

    /// The payer's card was good.
    pub(super) fn authorise(&mut self, attempt: Uuid, transaction: &str) {
        self.order(attempt).sales.push(Sale {
            transaction: transaction.to_owned(),
            state: SaleState::Authorised,
            amount: AMOUNT,
            captured: 0,
            authentic: Some(true),
            international: None,
        });
    }

    /// Money held for us.
    pub(super) fn held(&self) -> i64 {
        self.orders.iter().map(|(_, order)| order.held()).sum()
    }

    pub(super) fn capture(&mut self, attempt: Uuid, transaction: &str) -> bool {
        let found = self
            .order(attempt)
            .sales
            .iter_mut()
            .find(|sale| sale.state == SaleState::Authorised && sale.transaction == transaction);
        let Some(sale) = found else { return false };
        sale.state = SaleState::Captured;
        sale.captured = sale.amount;
        true
    }

    /// The bank voids by itself what it has not credited; whether it did.
    pub(super) fn give_back(&mut self, attempt: Uuid, transaction: &str) -> bool {
        let order = self.order(attempt);
        let untouched = order.credits.is_empty();
        let found = order.sales.iter_mut().find(|sale| {
            sale.transaction == transaction
                && matches!(sale.state, SaleState::Authorised | SaleState::Captured)
        });
        match found.filter(|_| untouched) {
            Some(sale) => {
                sale.state = SaleState::Voided;
                true
            }
            None => false,
        }
    }

    fn void(&mut self, attempt: Uuid, transaction: &str) -> bool {
        if std::mem::take(&mut self.void_refused) || self.voids_never {
            return false;
        }
        let found = self.order(attempt).sales.iter_mut().find(|sale| {
            sale.transaction == transaction
                && matches!(sale.state, SaleState::Authorised | SaleState::Captured)
        });
        let Some(sale) = found else { return false };
        sale.state = SaleState::Voided;
        true
    }

    fn credit(&mut self, attempt: Uuid, amount: i64) -> bool {
        let order = self.order(attempt);
        let captured: i64 = order.live().map(|sale| sale.captured).sum();
        if order.credited() + amount > captured {
            return false;
        }
        order.credits.push(Credit { id: None, amount });
        true
    }

    pub(super) fn act(&mut self, attempt: Uuid, act: &Act) -> Outcome {
        let trouble = self.trouble.take();
        if trouble == Some(Trouble::NotDone) {
            return Outcome::Unknown;
        }
        let done = match act {
            Act::Tell => true,
            Act::Capture { transaction } => self.capture(attempt, transaction),
            Act::Void { transaction, .. } => self.void(attempt, transaction),
            Act::CreditReversal { amount, .. } | Act::CreditRefund { amount, .. } => {
                self.credit(attempt, *amount)
            }
        };
        match (trouble, done) {
            (Some(Trouble::Denied), _) => Outcome::Refused,
            (Some(_), _) => Outcome::Unknown,
            (None, true) => Outcome::Done,
            (None, false) => Outcome::Refused,
        }
    }
}
