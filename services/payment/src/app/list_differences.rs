//! Where books and providers do not agree, for administrators of the platform.

use chrono::{DateTime, Utc};
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::store::differences::{self, Listed, Place};

/// A page of differences, and when the latest comparison ended.
///
/// # Errors
/// [`AppError::Denied`].
pub async fn list_differences(
    app: &App,
    caller: &Caller,
    after: Option<Place>,
    limit: i64,
) -> Result<(Vec<Listed>, Option<DateTime<Utc>>), AppError> {
    authorise::administrator(caller)?;
    let mut conn = app.pool.acquire().await?;
    let listed = differences::list(&mut conn, after, limit).await?;
    let end = differences::latest_end(&mut conn).await?;
    Ok((listed, end))
}
