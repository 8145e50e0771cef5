use uuid::Uuid;

use super::{App, Error};
use crate::domain::contact_session::ContactPerson;
use crate::domain::person::Person;
use crate::domain::refusal::Refusal;
use crate::store::{contacts, people};

/// Whom an id names.
pub enum Subject {
    Person(Box<Person>),
    /// Somebody without an account.
    Contact(ContactPerson),
}

/// Whom an id names: the caller themselves, or for a service that acts for them.
///
/// # Errors
/// [`Refusal::PersonNotFound`].
pub async fn get_person(app: &App, id: Uuid) -> Result<Subject, Error> {
    let mut conn = app.pool.acquire().await?;
    if let Some(person) = people::find(&mut conn, id).await? {
        return Ok(Subject::Person(Box::new(person)));
    }
    let contact = contacts::find(&mut conn, id).await?;
    Ok(Subject::Contact(contact.ok_or(Refusal::PersonNotFound)?))
}
