//! `audit [--json]`: whether money, documents and parcels balance.

use std::io::Write;
use std::time::Duration;

use wathiq_chassis::tls::TlsError;
use wathiq_chassis::{CallContext, ConfigError, client};

use crate::Settings;
use crate::app::AppError;
use crate::app::audit_books::{Report, audit_books};
use crate::clients::payment::Payment;
use crate::clients::postal_shipping::PostalShipping;
use crate::clients::signature::Signature;

/// How long the whole audit may take.
const LONGEST: Duration = Duration::from_secs(3_600);

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
    Differences(usize),
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
    let report = context
        .scope(audit_books(&pool, &payment, &postal, &signature))
        .await?;
    let text = if json {
        serde_json::to_string(&report)? + "\n"
    } else {
        lines(&report)
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    match report.differences.len() {
        0 => Ok(()),
        count => Err(AuditError::Differences(count)),
    }
}

fn lines(report: &Report) -> String {
    let checked = &report.checked;
    let mut text = format!(
        "checked: {} payables, {} lines, {} statement entries, {} shipments, {} parcels, {} issued documents\n",
        checked.payables,
        checked.lines,
        checked.statement_entries,
        checked.shipments,
        checked.parcels,
        checked.issued_documents
    );
    for one in &report.differences {
        let line = format!(
            "{}: {} {}: expected {}, found {}\n",
            one.code, one.subject, one.id, one.expected, one.found
        );
        text.push_str(&line);
    }
    text
}
