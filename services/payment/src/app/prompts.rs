//! How often phones are asked: the provider charges for each, and whoever owns the number did not ask for any.

use chrono::TimeDelta;
use sqlx::PgConnection;

use crate::app::AppError;
use crate::domain::attempt::Attempt;
use crate::domain::payable::Payable;
use crate::domain::policy::{MAX_PROMPTS_OF_PAYER, MAX_PROMPTS_OF_PHONE};
use crate::domain::refusal::Refusal;
use crate::store::prompts;

/// Span in which requests are counted.
const SPAN: TimeDelta = TimeDelta::hours(24);

/// Checks that this phone and this payer may have one more request.
///
/// # Errors
/// [`Refusal::TextMessageQuota`].
pub async fn within_quota(
    conn: &mut PgConnection,
    payable: &Payable,
    attempt: &Attempt,
) -> Result<(), AppError> {
    let (payer, since) = (payable.payer.person_id, attempt.created_at - SPAN);
    let (phone, payer) = prompts::count(conn, &attempt.phone, payer, since).await?;
    if phone >= MAX_PROMPTS_OF_PHONE || payer >= MAX_PROMPTS_OF_PAYER {
        return Err(Refusal::TextMessageQuota.into());
    }
    Ok(())
}
