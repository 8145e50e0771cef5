use wathiq_chassis::Caller;

use super::{App, Error};
use crate::domain::refusal::Refusal;
use crate::domain::specimen::SpecimenVersion;
use crate::store::specimens;

/// One of the caller's own versions with its image.
///
/// # Errors
/// [`Refusal::SpecimenNotFound`].
pub async fn get_specimen(
    app: &App,
    caller: &Caller,
    version: i32,
) -> Result<(SpecimenVersion, Vec<u8>), Error> {
    let mut conn = app.pool.acquire().await?;
    let found = specimens::find(&mut conn, caller.person_id, version)
        .await?
        .ok_or(Refusal::SpecimenNotFound)?;
    let image = specimens::image(&mut conn, caller.person_id, version)
        .await?
        .ok_or(Refusal::SpecimenNotFound)?;
    Ok((found, image))
}
