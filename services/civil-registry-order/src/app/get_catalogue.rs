//! What can be ordered today, and what it costs.

use crate::app::{App, AppError};
use crate::domain::fee::Fee;
use crate::domain::kind::{self, DocumentKind};
use crate::store::catalogue;

/// A kind with its fees in force.
#[derive(Debug)]
pub struct Entry {
    pub kind: DocumentKind,
    pub fees: Vec<Fee>,
}

/// Lists the kinds in force today by code.
///
/// # Errors
/// [`AppError`].
pub async fn get_catalogue(app: &App) -> Result<Vec<Entry>, AppError> {
    let today = wathiq_chassis::civil_date(app.ambient.now());
    let mut conn = app.pool.acquire().await?;
    let kinds = kind::in_force(catalogue::kinds(&mut conn).await?, today);
    let schedule = catalogue::schedule(&mut conn).await?;
    let entry = |kind: DocumentKind| Entry {
        fees: schedule
            .in_force(today)
            .into_iter()
            .filter(|fee| fee.document_kind == kind.code)
            .cloned()
            .collect(),
        kind,
    };
    Ok(kinds.into_iter().map(entry).collect())
}
