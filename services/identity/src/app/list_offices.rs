use uuid::Uuid;
use wathiq_chassis::civil_date;

use super::{App, Error, Page, PageOf};
use crate::domain::office::Office;
use crate::domain::vocabulary::OfferedService;
use crate::store::offices::{self, Filter};

/// Offices in order of code, directly below a parent or offering a service today where that is asked.
///
/// # Errors
/// [`Error::Invalid`] for a token of another list.
pub async fn list_offices(
    app: &App,
    (parent, offering): (Option<Uuid>, Option<OfferedService>),
    page: &Page,
) -> Result<PageOf<Office>, Error> {
    let today = civil_date(app.ambient.now());
    let filter = Filter {
        parent,
        offering: offering.map(|service| (service, today)),
    };
    let after: Option<String> = page.after()?;
    let mut conn = app.pool.acquire().await?;
    let rows = offices::list(&mut conn, &filter, after.as_deref(), page.rows()).await?;
    Ok(page.of(rows, |office| office.details.code.as_str().to_owned()))
}
