//! What happened to paid acts and their money in a span, for settlement.

use chrono::NaiveDate;
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::role;
use crate::domain::working_days::{end_of, start_of};
use crate::store::settlement::{self, Total};

/// What is settled.
pub struct Span<'a> {
    /// Nothing: all offices, for the platform's administrators alone.
    pub office_id: Option<Uuid>,
    /// Of the kinds that this administration issues (its name in French), or of all.
    pub administration: Option<&'a str>,
    /// Civil days, both included.
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// Acts by the states that they came to, and their price by parts. A day that has passed keeps its totals.
///
/// # Errors
/// [`AppError`]: `RANGE_REVERSED`.
pub async fn get_settlement(app: &App, caller: &Caller, span: Span<'_>) -> Result<Vec<Total>, AppError> {
    authorise::staff(caller)?;
    match span.office_id {
        Some(office) if !caller.platform_administrator && !caller.holds(office, role::ADMINISTRATOR) => {
            return Err(AppError::not_found("office", office));
        }
        Some(_) => {}
        None => authorise::platform(caller)?,
    }
    if span.to < span.from {
        return Err(AppError::invalid(
            "to",
            "RANGE_REVERSED",
            "must not be before `from`",
        ));
    }
    let (from, before) = (start_of(span.from), end_of(span.to));
    let mut conn = app.pool.acquire().await?;
    Ok(settlement::totals(&mut conn, span.office_id, span.administration, from, before).await?)
}
