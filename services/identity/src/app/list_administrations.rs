use wathiq_chassis::civil_date;

use super::{App, Error, Page, PageOf};
use crate::domain::administration::Administration;
use crate::store::administrations;

/// Administrations enrolled today.
///
/// # Errors
/// [`Error::Invalid`] for a token of another list.
pub async fn list_administrations(app: &App, page: &Page) -> Result<PageOf<Administration>, Error> {
    let today = civil_date(app.ambient.now());
    let mut conn = app.pool.acquire().await?;
    let rows = administrations::list(&mut conn, today, page.after()?, page.rows()).await?;
    Ok(page.of(rows, |administration| administration.id.to_string()))
}
