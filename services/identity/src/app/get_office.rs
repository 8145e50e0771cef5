use uuid::Uuid;

use super::{App, Error};
use crate::domain::office::Office;
use crate::domain::refusal::Refusal;
use crate::store::offices;

/// # Errors
/// [`Refusal::OfficeNotFound`].
pub async fn get_office(app: &App, id: Uuid) -> Result<Office, Error> {
    let mut conn = app.pool.acquire().await?;
    Ok(offices::find(&mut conn, id)
        .await?
        .ok_or(Refusal::OfficeNotFound)?)
}
