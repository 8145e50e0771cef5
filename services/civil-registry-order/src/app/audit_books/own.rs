//! This service's own books by themselves.

use sqlx::PgPool;
use uuid::Uuid;

use super::{PAGE, Report};
use crate::app::AppError;
use crate::store::books::{self, LineBook, OrderBook};

pub(super) async fn audit(pool: &PgPool, report: &mut Report) -> Result<(), AppError> {
    let mut after = Uuid::nil();
    loop {
        let page = {
            let mut conn = pool.acquire().await?;
            books::orders_after(&mut conn, after, PAGE).await?
        };
        let Some((last, orders)) = page else { return Ok(()) };
        after = last;
        for (id, order) in &orders {
            check(report, *id, order);
        }
    }
}

fn check(report: &mut Report, id: Uuid, order: &OrderBook) {
    report.checked.orders += 1;
    let amount: i64 = order.lines.iter().map(|line| line.amount).sum();
    if amount != order.total_centimes {
        report.differ("LINES_DIFFER", "order", id, order.total_centimes, amount);
    }
    if order.payable_id.is_none() && order.lines.iter().any(|line| line.paid) {
        report.differ("PAID_WITHOUT_PAYABLE", "order", id, "a payable", "none");
    }
    for line in &order.lines {
        check_line(report, line);
    }
}

fn check_line(report: &mut Report, line: &LineBook) {
    report.checked.lines += 1;
    if line.paid {
        report.totals.paid_centimes += line.amount;
    }
    report.totals.refunded_centimes += line.refunded_centimes;
    if line.to_be_sealed && line.produced && !line.sealed {
        report.differ(
            "PRODUCED_NOT_SEALED",
            "order_line",
            line.id,
            "sealed",
            "not sealed",
        );
    }
    let at_the_post = matches!(line.state.as_str(), "HANDED_OVER" | "DELIVERED" | "RETURNED");
    if at_the_post && !line.posted {
        report.differ("POSTED_WITHOUT_PARCEL", "order_line", line.id, "a parcel", "none");
    }
}
