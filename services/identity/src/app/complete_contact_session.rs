use serde_json::json;
use uuid::Uuid;

use super::deliver::is_code;
use super::limits::Asker;
use super::sign_in::{SessionGrant, open_session};
use super::work::Work;
use super::{App, Command, Error, limits};
use crate::domain::one_time_code::{Attempt, CodePurpose, OneTimeCode};
use crate::domain::refusal::Refusal;
use crate::domain::session::Origin;
use crate::domain::vocabulary::Surface;
use crate::store::{codes, contacts};

/// What is shown.
pub struct ContactCodes {
    pub id: Uuid,
    pub email: String,
    pub phone: String,
    pub origin: Origin,
}

const ACTION: &str = "contact_session.complete";

/// Opens a session with both codes. Which of them was wrong is not told, and both lose an attempt: together they are as hard to
/// guess as one of twelve digits.
///
/// # Errors
/// [`Refusal::ContactSessionNotFound`], [`Refusal::CodeWrong`], [`Refusal::CodeBarred`], [`Refusal::CodeExpired`],
/// [`Error::Limited`].
pub async fn complete_contact_session(
    app: &App,
    command: &Command,
    shown: ContactCodes,
) -> Result<SessionGrant, Error> {
    let now = app.ambient.now();
    let mut work = Work::begin_secret(app, command).await?;
    let awaited = contacts::lock_session(work.conn(), shown.id)
        .await?
        .ok_or(Refusal::ContactSessionNotFound)?;
    awaited.require_open(now)?;
    let email = stored(&mut work, shown.id, CodePurpose::ContactSessionEmail).await?;
    let phone = stored(&mut work, shown.id, CodePurpose::ContactSessionPhone).await?;
    let source = Asker::Address(&shown.origin.client_address);
    let mut tries = limits::tries_of(&awaited.reachable.email.folded(), source);
    tries.extend(limits::tries_of(awaited.reachable.phone.as_str(), source));
    let taken = work.limit(&tries).await?;
    let right = is_code(app, &email, &shown.email) & is_code(app, &phone, &shown.phone);
    let mut refused = None;
    for code in [email, phone] {
        match code.attempt(right, now)? {
            Attempt::Right(code) => codes::save(work.conn(), &code).await?,
            Attempt::Wrong(code, refusal) => {
                codes::save(work.conn(), &code).await?;
                refused = Some(refusal);
            }
        }
    }
    if let Some(refusal) = refused {
        return Err(work.refuse(refusal, ACTION, ("contact_session", shown.id)).await);
    }
    work.unlimit(taken).await?;
    contacts::finish_session(work.conn(), shown.id).await?;
    let contact = contacts::put(work.conn(), app.ambient.uuid_v7(), &awaited.reachable, now).await?;
    let grant = open_session(&mut work, contact, Surface::Contact, shown.origin).await?;
    work.audit(
        ACTION,
        ("contact", contact),
        json!({ "contact_session_id": shown.id, "session_id": grant.id }),
    )
    .await?;
    work.finish_secret(grant).await
}

async fn stored(work: &mut Work<'_>, id: Uuid, purpose: CodePurpose) -> Result<OneTimeCode, Error> {
    let code = codes::lock(work.conn(), id, purpose).await?;
    code.ok_or_else(|| Refusal::CodeExpired.into())
}
