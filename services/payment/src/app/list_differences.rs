//! Where books and providers do not agree, for administrators of the platform.

use chrono::{DateTime, Utc};
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::store::differences::{self, Listed, Place};

/// A page of differences.
pub struct Page {
    pub listed: Vec<Listed>,
    /// When the latest comparison ended, and about how many attempts it was not answered.
    pub run: Option<(DateTime<Utc>, i32)>,
}

/// A page of differences.
///
/// # Errors
/// [`AppError::Denied`].
pub async fn list_differences(
    app: &App,
    caller: &Caller,
    after: Option<Place>,
    limit: i64,
) -> Result<Page, AppError> {
    authorise::administrator(caller)?;
    let mut conn = app.pool.acquire().await?;
    let listed = differences::list(&mut conn, after, limit).await?;
    let run = differences::latest_end(&mut conn).await?;
    Ok(Page { listed, run })
}
