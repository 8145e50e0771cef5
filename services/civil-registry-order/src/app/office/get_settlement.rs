//! What became of the money for an office's acts in a span, for settlement.

use chrono::NaiveDate;
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::role;
use crate::domain::working_days::{end_of, start_of};
use crate::store::queue::{self, Total};

/// Paid acts by the state they came to from a civil day to another, both included, and their price by parts.
///
/// # Errors
/// [`AppError`]: `RANGE_REVERSED`.
pub async fn get_settlement(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Total>, AppError> {
    authorise::staff(caller)?;
    if !caller.platform_administrator && !caller.holds(office_id, role::ADMINISTRATOR) {
        return Err(AppError::not_found("office", office_id));
    }
    if to < from {
        return Err(AppError::invalid(
            "to",
            "RANGE_REVERSED",
            "must not be before `from`",
        ));
    }
    let mut conn = app.pool.acquire().await?;
    Ok(queue::settlement(&mut conn, office_id, start_of(from), end_of(to)).await?)
}
