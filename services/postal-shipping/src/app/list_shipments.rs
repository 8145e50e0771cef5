use super::{App, Error};
use crate::domain::shipment::Shipment;
use crate::store::shipments::{self, OwnersPage};

/// Shipments of an owner in order of creation.
///
/// # Errors
/// [`Error`].
pub async fn list_shipments(app: &App, page: OwnersPage<'_>) -> Result<Vec<Shipment>, Error> {
    let mut conn = app.pool.acquire().await?;
    Ok(shipments::list_of_owner(&mut conn, page).await?)
}
