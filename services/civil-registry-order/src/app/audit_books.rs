//! Whether money, documents and parcels balance: this service's own books by themselves, and against what payment, the providers' statement,
//! postal-shipping and signature answer now. Both sides are read page by page in the order of the same id, so that the memory needed does not
//! grow with the books.
//!
//! What is on its way between two services while they are read differs for a moment. What differs is looked at again, and only what
//! differs each time is a difference.

mod documents;
mod ledger;
mod missing;
mod money;
mod own;
mod parcels;

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;
use sqlx::PgPool;

use crate::app::AppError;
use crate::clients::payment::Payment;
use crate::clients::postal_shipping::PostalShipping;
use crate::clients::signature::Signature;

/// Rows read at a time.
const PAGE: i64 = 500;
/// How often the books are read where something differs.
const LOOKS: usize = 3;
/// Differences that a report holds; the others are counted.
const MOST: usize = 10_000;

/// What was looked at.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub orders: u64,
    pub lines: u64,
    pub payables: u64,
    pub statement_entries: u64,
    pub shipments: u64,
    pub issued_documents: u64,
}

/// Sums in centimes of MAD.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Of the lines that were paid.
    pub paid_centimes: i64,
    /// Of the lines whose money went back.
    pub refunded_centimes: i64,
    /// What the providers hold, less what they gave back.
    pub held_centimes: i64,
}

/// Something that does not balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Such as `REFUND_DIFFERS`.
    pub code: &'static str,
    /// Such as `order_line`.
    pub subject: &'static str,
    pub id: String,
    pub expected: String,
    pub found: String,
}

/// What the audit says.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub checked: Checked,
    pub totals: Totals,
    pub differences: Vec<Difference>,
    /// Differences beyond those that are listed.
    pub more: u64,
}

impl Report {
    /// Whether everything balances.
    pub fn balances(&self) -> bool {
        self.differences.is_empty() && self.more == 0
    }

    fn differ(
        &mut self,
        code: &'static str,
        subject: &'static str,
        id: impl ToString,
        expected: impl ToString,
        found: impl ToString,
    ) {
        if self.differences.len() >= MOST {
            self.more += 1;
            return;
        }
        self.differences.push(Difference {
            code,
            subject,
            id: id.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        });
    }
}

/// Whose books are compared.
pub struct Books<'a> {
    pub pool: &'a PgPool,
    pub payment: &'a Payment,
    pub postal: &'a PostalShipping,
    pub signature: &'a Signature,
}

/// Audits everything. What differs is looked at again after `settle`.
///
/// # Errors
/// [`AppError`] where the database or one of the services does not answer.
pub async fn audit_books(books: &Books<'_>, settle: Duration) -> Result<Report, AppError> {
    let mut report = look(books).await?;
    for _ in 1..LOOKS {
        if report.balances() || report.more > 0 {
            break;
        }
        tokio::time::sleep(settle).await;
        let before = report.differences;
        report = look(books).await?;
        let known: HashSet<(&str, &str)> = before.iter().map(|one| (one.code, one.id.as_str())).collect();
        report
            .differences
            .retain(|one| known.contains(&(one.code, one.id.as_str())));
    }
    Ok(report)
}

async fn look(books: &Books<'_>) -> Result<Report, AppError> {
    let mut report = Report::default();
    own::audit(books.pool, &mut report).await?;
    money::audit(books.pool, books.payment, &mut report).await?;
    parcels::audit(books.pool, books.postal, &mut report).await?;
    documents::audit(books.pool, books.signature, &mut report).await?;
    Ok(report)
}
