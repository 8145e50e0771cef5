use wathiq_chassis::Caller;

use super::{App, Error, staff};
use crate::domain::shipment::Shipment;
use crate::store::shipments::{self, OfficesPage};

/// Shipments of the caller's office, oldest first.
///
/// # Errors
/// [`Error::NotFound`] at another office.
pub async fn list_office_shipments(
    app: &App,
    caller: &Caller,
    page: &OfficesPage,
) -> Result<Vec<Shipment>, Error> {
    staff::at_office(caller, page.office_id)?;
    let mut conn = app.pool.acquire().await?;
    Ok(shipments::list_of_office(&mut conn, page).await?)
}
