//! Every paid line has its money, or its money went back, exactly once.

use std::collections::HashSet;

use sqlx::PgPool;
use uuid::Uuid;

use super::Report;
use super::ledger::Ledger;
use super::missing::Missing;
use crate::app::AppError;
use crate::clients::payment::{PayableBook, Payment, RefundBook};
use crate::store::books::{self, LineBook, Named, OrderBook};

pub(super) async fn audit(pool: &PgPool, payment: &Payment, report: &mut Report) -> Result<(), AppError> {
    let mut missing = Missing::new(pool, Named::Payables, "PAYABLE_MISSING", "order");
    let mut ledger = Ledger::default();
    let mut statement = Statement::new(payment);
    let mut page_token = String::new();
    loop {
        let (payables, next) = payment.list_payables(page_token).await?;
        compare(pool, report, &payables).await?;
        for payable in &payables {
            ledger.payable(report, payable);
        }
        let listed: HashSet<Uuid> = payables.iter().map(|payable| payable.id).collect();
        missing.follow(report, &listed, next.is_empty()).await?;
        // Attempts at these payables, and at those before.
        let upto = listed.into_iter().max().filter(|_| !next.is_empty());
        statement.read(report, &mut ledger, upto).await?;
        if next.is_empty() {
            ledger.close(report);
            return Ok(());
        }
        page_token = next;
    }
}

/// The statement, read as far as it is wanted.
struct Statement<'a> {
    payment: &'a Payment,
    /// Token of the next page; nothing at the end.
    next: Option<String>,
    reached: Uuid,
}

impl<'a> Statement<'a> {
    fn new(payment: &'a Payment) -> Self {
        Self {
            payment,
            next: Some(String::new()),
            reached: Uuid::nil(),
        }
    }

    /// Reads pages until an attempt is newer than `upto`, or all.
    async fn read(
        &mut self,
        report: &mut Report,
        ledger: &mut Ledger,
        upto: Option<Uuid>,
    ) -> Result<(), AppError> {
        while upto.is_none_or(|upto| self.reached <= upto)
            && let Some(token) = self.next.take()
        {
            let (entries, next) = self.payment.list_statement(token).await?;
            for entry in &entries {
                report.checked.statement_entries += 1;
                self.reached = self.reached.max(entry.attempt);
                ledger.entry(report, entry);
            }
            self.next = (!next.is_empty()).then_some(next);
        }
        Ok(())
    }
}

async fn compare(pool: &PgPool, report: &mut Report, payables: &[PayableBook]) -> Result<(), AppError> {
    let ids: Vec<Uuid> = payables.iter().filter_map(order_id).collect();
    let orders = {
        let mut conn = pool.acquire().await?;
        books::orders(&mut conn, &ids).await?
    };
    for payable in payables {
        report.checked.payables += 1;
        match order_id(payable).and_then(|id| orders.get(&id)) {
            Some(order) => check(report, payable, order),
            None => report.differ("PAYABLE_OF_NO_ORDER", "payable", payable.id, "an order", "none"),
        }
    }
    Ok(())
}

fn order_id(payable: &PayableBook) -> Option<Uuid> {
    Uuid::try_parse(&payable.order).ok()
}

fn check(report: &mut Report, payable: &PayableBook, order: &OrderBook) {
    let id = &payable.order;
    if payable.centimes != order.total_centimes {
        report.differ(
            "AMOUNT_DIFFERS",
            "order",
            id,
            order.total_centimes,
            payable.centimes,
        );
    }
    if order.payable_id != Some(payable.id) {
        let ours = order.payable_id.map_or("none".to_owned(), |id| id.to_string());
        report.differ("PAYABLE_DIFFERS", "order", id, ours, payable.id);
    }
    for line in &order.lines {
        if line.paid != payable.paid {
            let word = |paid| if paid { "paid" } else { "not paid" };
            report.differ(
                "PAYMENT_DIFFERS",
                "order_line",
                line.id,
                word(line.paid),
                word(payable.paid),
            );
        }
        check_refund(report, line, payable);
    }
    let refunded: i64 = order.lines.iter().map(|line| line.refunded_centimes).sum();
    if refunded != payable.refunded_centimes {
        report.differ("REFUNDS_DIFFER", "order", id, refunded, payable.refunded_centimes);
    }
}

/// A line that is refunded has one completed refund of its amount, one that is owed has none.
fn check_refund(report: &mut Report, line: &LineBook, payable: &PayableBook) {
    let id = line.id.to_string();
    let refunds: Vec<&RefundBook> = payable
        .refunds
        .iter()
        .filter(|refund| refund.line == id)
        .collect();
    let completed = refunds.iter().filter(|refund| refund.completed);
    let completed: i64 = completed.map(|refund| refund.centimes).sum();
    let (expected, most) = match line.state.as_str() {
        "REFUNDED" => (line.amount, 1),
        "REFUNDING" => (0, 1),
        _ => (0, 0),
    };
    if completed != expected || refunds.len() > most {
        let found = format!("{completed} in {}", refunds.len());
        report.differ("REFUND_DIFFERS", "order_line", id, expected, found);
    }
}
