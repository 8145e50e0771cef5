use uuid::Uuid;
use wathiq_chassis::civil_date;

use super::{App, Error};
use crate::domain::administration::Administration;
use crate::domain::refusal::Refusal;
use crate::store::administrations;

/// An administration, and whether it is enrolled today.
///
/// # Errors
/// [`Refusal::AdministrationNotFound`].
pub async fn get_administration(app: &App, id: Uuid) -> Result<(Administration, bool), Error> {
    let mut conn = app.pool.acquire().await?;
    let administration = administrations::find(&mut conn, id)
        .await?
        .ok_or(Refusal::AdministrationNotFound)?;
    let enrolled = administration.enrolled.contains(civil_date(app.ambient.now()));
    Ok((administration, enrolled))
}
