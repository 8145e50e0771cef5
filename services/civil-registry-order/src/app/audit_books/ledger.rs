//! Payables against the providers' statement. Both are listed by ids that grow with time, payables by theirs and the statement by those of the
//! attempts at paying: what waits here for its other side is what was being paid at one time.

use std::collections::HashMap;

use uuid::Uuid;

use super::Report;
use crate::clients::payment::{PayableBook, StatementBook};

/// A payable with attempts that the statement has not named yet.
struct Open {
    order: String,
    due: i64,
    attempts_left: usize,
    held: i64,
}

/// What waits for its other side.
#[derive(Default)]
pub(super) struct Ledger {
    open: HashMap<Uuid, Open>,
    /// Number of attempts, and what is held, of payables that have not come yet.
    early: HashMap<Uuid, (usize, i64)>,
}

impl Ledger {
    pub(super) fn payable(&mut self, report: &mut Report, payable: &PayableBook) {
        let due = if payable.paid {
            payable.centimes - payable.refunded_centimes
        } else {
            0
        };
        let (attempts, held) = self.early.remove(&payable.id).unwrap_or_default();
        let open = Open {
            order: payable.order.clone(),
            due,
            attempts_left: payable.attempts.saturating_sub(attempts),
            held,
        };
        if open.attempts_left == 0 {
            settle(report, &open);
        } else {
            self.open.insert(payable.id, open);
        }
    }

    pub(super) fn entry(&mut self, report: &mut Report, entry: &StatementBook) {
        let held = entry.held_centimes - entry.credited_centimes;
        report.totals.held_centimes += held;
        let Some(open) = self.open.get_mut(&entry.payable) else {
            let early = self.early.entry(entry.payable).or_default();
            early.0 += 1;
            early.1 += held;
            return;
        };
        open.held += held;
        open.attempts_left -= 1;
        if open.attempts_left == 0
            && let Some(open) = self.open.remove(&entry.payable)
        {
            settle(report, &open);
        }
    }

    /// Both have been read to the end.
    pub(super) fn close(self, report: &mut Report) {
        for open in self.open.values() {
            settle(report, open);
        }
        for (payable, (_, held)) in self.early.iter().filter(|(_, (_, held))| *held != 0) {
            report.differ("MONEY_OF_NO_PAYABLE", "payable", payable, 0, held);
        }
    }
}

fn settle(report: &mut Report, open: &Open) {
    if open.held != open.due {
        report.differ("STATEMENT_DIFFERS", "order", &open.order, open.due, open.held);
    }
}
