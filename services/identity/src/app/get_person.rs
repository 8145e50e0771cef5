use uuid::Uuid;

use super::{App, Error};
use crate::domain::person::Person;
use crate::domain::refusal::Refusal;
use crate::store::people;

/// A person: the caller's own, or for a service that draws up an act.
///
/// # Errors
/// [`Refusal::PersonNotFound`].
pub async fn get_person(app: &App, id: Uuid) -> Result<Person, Error> {
    let mut conn = app.pool.acquire().await?;
    Ok(people::find(&mut conn, id)
        .await?
        .ok_or(Refusal::PersonNotFound)?)
}
