use uuid::Uuid;
use wathiq_chassis::civil_date;

use super::get_person::{Subject, get_person};
use super::{App, Error};
use crate::domain::membership::Grant;
use crate::domain::vocabulary::{Assurance, Surface};
use crate::store::{memberships, sessions};

/// What holds at this moment.
pub struct Authorization {
    pub session_live: bool,
    pub assurance: Assurance,
    pub grants: Vec<Grant>,
    pub platform_administrator: bool,
}

/// Whether a session is live, and what its person may do in it: nothing once it is over, and a role on the staff surface alone.
///
/// # Errors
/// [`Refusal::PersonNotFound`](crate::domain::refusal::Refusal::PersonNotFound).
pub async fn get_authorization(app: &App, person_id: Uuid, session_id: Uuid) -> Result<Authorization, Error> {
    let now = app.ambient.now();
    let (assurance, administers) = match get_person(app, person_id).await? {
        Subject::Person(person) => (person.assurance(), person.platform_administrator),
        Subject::Contact(_) => (Assurance::Contact, false),
    };
    let mut conn = app.pool.acquire().await?;
    let session = sessions::find(&mut conn, session_id).await?.filter(|session| {
        session.person_id == person_id && session.is_live(app.policy.lifetime(session.surface), now)
    });
    let in_staff_session = session
        .as_ref()
        .is_some_and(|session| session.surface == Surface::Staff);
    let grants = if in_staff_session {
        memberships::grants(&mut conn, person_id, civil_date(now)).await?
    } else {
        Vec::new()
    };
    Ok(Authorization {
        session_live: session.is_some(),
        assurance,
        grants,
        platform_administrator: in_staff_session && administers,
    })
}
