//! Every paid line has its money captured, or given back, exactly once.

use std::collections::{HashMap, HashSet};

use sqlx::PgPool;
use uuid::Uuid;
use wathiq_proto::wathiq::payment::v1 as pb;

use super::{PAGE, Report};
use crate::app::AppError;
use crate::clients::failure;
use crate::clients::payment::{Payment, SERVICE};
use crate::store::books::{self, LineBook, OrderBook};

/// Authorised and credited centimes of each payable, as the providers say.
type Statement = HashMap<String, (i64, i64)>;

pub(super) async fn audit(pool: &PgPool, payment: &Payment, report: &mut Report) -> Result<(), AppError> {
    let statement = statement(payment, report).await?;
    // Ids alone: a year of orders is some hundred megabytes at most.
    let mut seen: HashSet<Uuid> = HashSet::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListPayablesRequest {
            page_token,
            ..Default::default()
        };
        let page = payment.payables().list_payables(request).await;
        let page = page.map_err(failure(SERVICE, "payables"))?.into_inner();
        let ids: Vec<Uuid> = page
            .payables
            .iter()
            .filter_map(|payable| Uuid::try_parse(&payable.owner_reference).ok())
            .collect();
        let books = {
            let mut conn = pool.acquire().await?;
            books::orders(&mut conn, &ids).await?
        };
        for payable in &page.payables {
            report.checked.payables += 1;
            let id = Uuid::try_parse(&payable.owner_reference).unwrap_or_default();
            match books.get(&id) {
                Some(book) => check(report, payable, book, &statement),
                None => report.differ(
                    "PAYABLE_OF_NO_ORDER",
                    "payable",
                    &payable.payable_id,
                    "an order",
                    "none",
                ),
            }
            seen.insert(id);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    known_to_payment(pool, &seen, report).await
}

async fn statement(payment: &Payment, report: &mut Report) -> Result<Statement, AppError> {
    let (mut statement, mut page_token) = (Statement::new(), String::new());
    loop {
        let request = pb::ListStatementRequest {
            page_token,
            ..Default::default()
        };
        let page = payment.payables().list_statement(request).await;
        let page = page.map_err(failure(SERVICE, "statement"))?.into_inner();
        for entry in page.entries {
            report.checked.statement_entries += 1;
            let held = match entry.status.as_str() {
                "AUTHORISED" => entry.authorised_centimes,
                "CAPTURED" => entry.captured_centimes,
                _ => continue,
            };
            let sums = statement.entry(entry.payable_id).or_default();
            sums.0 += held;
            sums.1 += entry.credited_centimes;
        }
        if page.next_page_token.is_empty() {
            return Ok(statement);
        }
        page_token = page.next_page_token;
    }
}

fn check(report: &mut Report, payable: &pb::Payable, book: &OrderBook, statement: &Statement) {
    let order_id = &payable.owner_reference;
    if payable.amount_centimes != book.total_centimes {
        report.differ(
            "AMOUNT_DIFFERS",
            "order",
            order_id,
            book.total_centimes,
            payable.amount_centimes,
        );
    }
    let lines: i64 = book.lines.iter().map(|line| line.amount).sum();
    if lines != book.total_centimes {
        report.differ("LINES_DIFFER", "order", order_id, book.total_centimes, lines);
    }
    if book.payable_id.map(|id| id.to_string()).as_ref() != Some(&payable.payable_id) {
        let ours = book.payable_id.map(|id| id.to_string()).unwrap_or_default();
        report.differ("PAYABLE_DIFFERS", "order", order_id, ours, &payable.payable_id);
    }
    let paid = payable.state() == pb::PayableState::Paid;
    for line in &book.lines {
        report.checked.lines += 1;
        if line.paid != paid {
            let word = |paid| if paid { "paid" } else { "not paid" };
            report.differ(
                "PAYMENT_DIFFERS",
                "order_line",
                line.id,
                word(line.paid),
                word(paid),
            );
        }
        check_refund(report, line, payable);
    }
    let refunded: i64 = book.lines.iter().map(|line| line.refunded_centimes).sum();
    if refunded != payable.refunded_centimes {
        report.differ(
            "REFUNDS_DIFFER",
            "order",
            order_id,
            refunded,
            payable.refunded_centimes,
        );
    }
    let (held, credited) = statement.get(&payable.payable_id).copied().unwrap_or_default();
    let due = if paid { payable.amount_centimes } else { 0 };
    if held != due {
        report.differ("STATEMENT_DIFFERS", "order", order_id, due, held);
    }
    if credited != payable.refunded_centimes {
        report.differ(
            "STATEMENT_CREDIT_DIFFERS",
            "order",
            order_id,
            payable.refunded_centimes,
            credited,
        );
    }
}

/// A line that is refunded has one completed refund of its amount, one that is owed has none.
fn check_refund(report: &mut Report, line: &LineBook, payable: &pb::Payable) {
    let id = line.id.to_string();
    let refunds: Vec<&pb::Refund> = payable
        .refunds
        .iter()
        .filter(|refund| refund.owner_reference == id)
        .collect();
    let completed: i64 = refunds
        .iter()
        .filter(|refund| refund.state() == pb::RefundState::Completed)
        .map(|refund| refund.amount_centimes)
        .sum();
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

/// No order names a payable that payment does not list.
async fn known_to_payment(pool: &PgPool, seen: &HashSet<Uuid>, report: &mut Report) -> Result<(), AppError> {
    let mut after = Uuid::nil();
    loop {
        let page = {
            let mut conn = pool.acquire().await?;
            books::payables(&mut conn, after, PAGE).await?
        };
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = *last;
        for (order_id, payable_id) in &page {
            if !seen.contains(order_id) {
                report.differ("PAYABLE_MISSING", "order", order_id, payable_id, "none");
            }
        }
    }
}
