//! `audit [--json]`: whether money, documents and parcels balance.

use std::io::Write;
use std::time::Duration;

use wathiq_chassis::tls::TlsError;
use wathiq_chassis::{CallContext, ConfigError, client};

use crate::Settings;
use crate::app::AppError;
use crate::app::audit_books::{Books, Report, audit_books};
use crate::clients::payment::Payment;
use crate::clients::postal_shipping::PostalShipping;
use crate::clients::signature::Signature;

/// How long the whole audit may take.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How long what is on its way between two services may take.
const SETTLE: Duration = Duration::from_secs(10);

/// Why the audit failed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error("the report cannot be written")]
    Write(#[from] std::io::Error),
    #[error("the report cannot be put into JSON")]
    Json(#[from] serde_json::Error),
    #[error("{0} differences")]
    Differences(u64),
}

/// Audits, and writes the report to the standard output: as JSON, or a line for each difference.
///
/// # Errors
/// [`AuditError`]; [`AuditError::Differences`] where something does not balance.
pub async fn run(settings: &Settings, json: bool) -> Result<(), AuditError> {
    let process = &settings.process;
    let peer = |upstream| client::channel(upstream, &process.tls, &process.trust_domain);
    let payment = Payment::new(peer(&settings.upstream.payment)?);
    let postal = PostalShipping::new(peer(&settings.upstream.postal_shipping)?);
    let signature = Signature::new(peer(&settings.upstream.signature)?);
    let pool = settings.database.pool()?;
    let context = CallContext::new(LONGEST, "audit".to_owned());
    let books = Books {
        pool: &pool,
        payment: &payment,
        postal: &postal,
        signature: &signature,
    };
    let report = context.scope(audit_books(&books, SETTLE)).await?;
    let text = if json {
        serde_json::to_string(&report)? + "\n"
    } else {
        lines(&report)
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    if report.balances() {
        return Ok(());
    }
    let listed = u64::try_from(report.differences.len()).unwrap_or(u64::MAX);
    Err(AuditError::Differences(listed.saturating_add(report.more)))
}

fn lines(report: &Report) -> String {
    let (checked, totals) = (&report.checked, &report.totals);
    let mut text = format!(
        "checked: {} orders, {} lines, {} payables, {} statement entries, {} shipments, {} issued documents\n\
         centimes: {} paid, {} refunded, {} held by the providers\n",
        checked.orders,
        checked.lines,
        checked.payables,
        checked.statement_entries,
        checked.shipments,
        checked.issued_documents,
        totals.paid_centimes,
        totals.refunded_centimes,
        totals.held_centimes
    );
    for one in &report.differences {
        let line = format!(
            "{}: {} {}: expected {}, found {}\n",
            one.code, one.subject, one.id, one.expected, one.found
        );
        text.push_str(&line);
    }
    if report.more > 0 {
        text.push_str(&format!("and {} more\n", report.more));
    }
    text
}
