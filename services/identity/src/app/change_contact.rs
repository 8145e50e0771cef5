use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::deliver::{Addressee, Sent, send_code};
use super::limits::Asker;
use super::work::{Work, begin};
use super::{App, Command, Error, Reply, limits, reauthenticate};
use crate::domain::contact::Contact;
use crate::domain::delivery::{Delivery, DeliveryKind};
use crate::domain::one_time_code::{self, CodePurpose};
use crate::domain::person::Person;
use crate::domain::vocabulary::Word;
use crate::store::contact_changes::{self, ContactChange};
use crate::store::people;

/// Starts a change of contact: a code goes to the new one. Whether another account has the address is not told here.
///
/// # Errors
/// [`Refusal::PasswordWrong`](crate::domain::refusal::Refusal::PasswordWrong),
/// [`Refusal::SessionExpired`](crate::domain::refusal::Refusal::SessionExpired), [`Error::Limited`].
pub async fn change_contact<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (contact, password): (Contact, SecretString),
    reply: impl FnOnce(Uuid, Delivery) -> R,
) -> Result<R, Error> {
    if let Some(reply) = Work::done_before(app, command).await? {
        return Ok(reply);
    }
    let verified = reauthenticate::password(app, caller, &password).await?;
    let mut work = begin!(app, command);
    let person = verified.lock_person(&mut work, caller).await?;
    let source = person.id.to_string();
    let mut limits = vec![limits::of(limits::CONTACT_CHANGE, &[&source])];
    limits.extend(limits::codes_to(&contact.folded(), Asker::Person(&source)));
    work.count(&limits).await?;
    let change = ContactChange {
        id: app.ambient.uuid_v7(),
        person_id: person.id,
        contact,
        expires_at: app.ambient.now() + one_time_code::LIFE,
        done: false,
    };
    contact_changes::insert(work.conn(), &change).await?;
    let sent = sent(&mut work, &person, &change.contact).await?;
    let delivery = send_code(&mut work, CodePurpose::ContactChange, change.id, sent).await?;
    let details = json!({ "channel": change.contact.channel().as_str(), "contact_change_id": change.id });
    work.audit("person.change_contact", ("person", person.id), details)
        .await?;
    work.finish(reply(change.id, delivery)).await
}

async fn sent(work: &mut Work<'_>, person: &Person, contact: &Contact) -> Result<Sent, Error> {
    let holder = match contact {
        Contact::Email(email) => people::find_by_email(work.conn(), email).await?,
        Contact::Phone(_) => None,
    };
    Ok(match holder {
        Some(holder) if holder.id != person.id => {
            let to = Addressee {
                contact: contact.clone(),
                language: holder.language,
            };
            Sent::Instead(DeliveryKind::AccountExistsNotice, to)
        }
        _ => {
            let to = Addressee {
                contact: contact.clone(),
                language: person.language,
            };
            Sent::Code(DeliveryKind::ContactChangeCode, to)
        }
    })
}
