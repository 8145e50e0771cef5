use wathiq_chassis::Caller;

use super::{App, Error, Page, PageOf};
use crate::domain::specimen::SpecimenVersion;
use crate::store::specimens;

/// The caller's own versions, newest first.
///
/// # Errors
/// [`Error::Invalid`] for a token of another list.
pub async fn list_specimens(
    app: &App,
    caller: &Caller,
    page: &Page,
) -> Result<PageOf<SpecimenVersion>, Error> {
    let mut conn = app.pool.acquire().await?;
    let rows = specimens::list(&mut conn, caller.person_id, page.after()?, page.rows()).await?;
    Ok(page.of(rows, |version| version.version.to_string()))
}
