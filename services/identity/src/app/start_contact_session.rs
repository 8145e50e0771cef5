use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::deliver::{Addressee, Sent, send_code};
use super::limits::Asker;
use super::work::begin;
use super::{App, Command, Error, Reply, limits};
use crate::domain::contact::Contact;
use crate::domain::contact_session::{ContactSession, Reachable};
use crate::domain::delivery::{Delivery, DeliveryKind};
use crate::domain::one_time_code::{self, CodePurpose};
use crate::store::contacts;

/// What came of it.
pub struct ContactSessionStarted {
    pub id: Uuid,
    pub expires_at: DateTime<Utc>,
    pub deliveries: Vec<Delivery>,
}

/// Sends a code to an e-mail address and one to a phone. Accounts play no part, so that nothing is told of them.
///
/// # Errors
/// [`Error::Limited`] by address and by contact.
pub async fn start_contact_session<R: Reply>(
    app: &App,
    command: &Command,
    (reachable, client_address): (Reachable, String),
    reply: impl FnOnce(ContactSessionStarted) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let source = Asker::Address(&client_address);
    let mut limits = limits::by_source(limits::SIGN_UP_ADDRESS, &[], &client_address);
    limits.extend(limits::codes_to(&reachable.email.folded(), source));
    limits.extend(limits::codes_to(reachable.phone.as_str(), source));
    work.count(&limits).await?;
    let session = ContactSession {
        id: app.ambient.uuid_v7(),
        reachable,
        expires_at: app.ambient.now() + one_time_code::LIFE,
        done: false,
    };
    contacts::insert_session(work.conn(), &session).await?;
    let Reachable {
        email,
        phone,
        language,
    } = session.reachable;
    let mut deliveries = Vec::new();
    for (purpose, contact) in [
        (CodePurpose::ContactSessionEmail, Contact::Email(email)),
        (CodePurpose::ContactSessionPhone, Contact::Phone(phone)),
    ] {
        let to = Addressee { contact, language };
        let sent = Sent::Code(DeliveryKind::ContactSessionCode, to);
        deliveries.push(send_code(&mut work, purpose, session.id, sent).await?);
    }
    work.audit(
        "contact_session.start",
        ("contact_session", session.id),
        json!({}),
    )
    .await?;
    let started = ContactSessionStarted {
        id: session.id,
        expires_at: session.expires_at,
        deliveries,
    };
    work.finish(reply(started)).await
}
