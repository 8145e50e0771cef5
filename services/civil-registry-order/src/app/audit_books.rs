//! Whether money, documents and parcels balance: this service's own books against what payment, the providers' statement, postal-shipping
//! and signature answer now. Page by page; what is on its way between two services while the audit runs may show once, what shows twice is a
//! difference.

mod documents;
mod money;
mod parcels;

use serde::Serialize;
use sqlx::PgPool;

use crate::app::AppError;
use crate::clients::payment::Payment;
use crate::clients::postal_shipping::PostalShipping;
use crate::clients::signature::Signature;

/// Rows read at a time.
const PAGE: i64 = 500;

/// What was looked at.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub payables: u64,
    pub lines: u64,
    pub statement_entries: u64,
    pub shipments: u64,
    pub parcels: u64,
    pub issued_documents: u64,
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
    pub differences: Vec<Difference>,
}

impl Report {
    fn differ(
        &mut self,
        code: &'static str,
        subject: &'static str,
        id: impl ToString,
        expected: impl ToString,
        found: impl ToString,
    ) {
        self.differences.push(Difference {
            code,
            subject,
            id: id.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        });
    }
}

/// Audits everything.
///
/// # Errors
/// [`AppError`] where the database or one of the services does not answer.
pub async fn audit_books(
    pool: &PgPool,
    payment: &Payment,
    postal: &PostalShipping,
    signature: &Signature,
) -> Result<Report, AppError> {
    let mut report = Report::default();
    money::audit(pool, payment, &mut report).await?;
    parcels::audit(pool, postal, &mut report).await?;
    documents::audit(pool, signature, &mut report).await?;
    Ok(report)
}
