//! Puts codes and notices on their way.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::work::Work;
use super::{App, Error};
use crate::domain::contact::Contact;
use crate::domain::delivery::{Delivery, DeliveryKind, NOTICE_LIFE};
use crate::domain::one_time_code::{self, CodePurpose, OneTimeCode};
use crate::domain::person::Person;
use crate::domain::vocabulary::Language;
use crate::events::publish;
use crate::store::{codes, deliveries};

/// What is sealed in a delivery.
#[derive(Serialize, Deserialize)]
pub(super) struct Sealed {
    pub(super) address: String,
    /// Empty for a notice.
    pub(super) code: String,
}

/// To whom something goes.
pub(super) struct Addressee {
    pub(super) contact: Contact,
    pub(super) language: Language,
}

/// What is sent about a code.
pub(super) enum Sent {
    /// The code itself.
    Code(DeliveryKind, Addressee),
    /// A notice in its place: the code cannot be known, and the address is told why.
    Instead(DeliveryKind, Addressee),
    /// Nothing: the same rows are written, and the delivery goes the same way until it is taken.
    Nothing(DeliveryKind, Addressee),
}

/// Makes a fresh code and sends it, or something in its place. Whichever it is, the same work is done.
///
/// # Errors
/// [`Error::Limited`] when the installation sends no more text messages for the moment.
pub(super) async fn send_code(
    work: &mut Work<'_>,
    purpose: CodePurpose,
    subject_id: Uuid,
    sent: Sent,
) -> Result<Delivery, Error> {
    let (ambient, now) = (work.ambient(), work.ambient().now());
    let typed = draw(work.app(), purpose);
    let id = ambient.uuid_v7();
    // Without this the hash is of no code: nobody can know what it is of.
    let unknowable = match sent {
        Sent::Code(..) => String::new(),
        Sent::Instead(..) | Sent::Nothing(..) => ambient.uuid_v7().to_string(),
    };
    let normalised = Zeroizing::new(purpose.normalised(&typed));
    let hash = hash_code(work.app(), id, &format!("{}{unknowable}", *normalised));
    let expires_at = now + one_time_code::LIFE;
    let code = OneTimeCode {
        id,
        purpose,
        subject_id,
        hash,
        attempts_left: one_time_code::ATTEMPTS,
        expires_at,
        used: false,
    };
    codes::put(work.conn(), &code).await?;
    let (kind, to, carried, silent) = match sent {
        Sent::Code(kind, to) => (kind, to, typed.as_str(), false),
        Sent::Instead(kind, to) => (kind, to, "", false),
        Sent::Nothing(kind, to) => (kind, to, "", true),
    };
    let channel = to.contact.channel();
    let delivery = put(work, (kind, silent), to, carried, expires_at).await?;
    // Last, since all text messages are counted in one row.
    work.count_sent(channel).await?;
    Ok(delivery)
}

/// Tells a person, at their e-mail address, that a credential or contact changed.
pub(super) async fn send_change_notice(work: &mut Work<'_>, person: &Person) -> Result<(), Error> {
    let expires_at = work.ambient().now() + NOTICE_LIFE;
    let to = Addressee {
        contact: Contact::Email(person.email.clone()),
        language: person.language,
    };
    let kind = DeliveryKind::CredentialChangedNotice;
    put(work, (kind, false), to, "", expires_at).await?;
    Ok(())
}

/// Compares a code as typed with a stored one.
pub(super) fn is_code(app: &App, stored: &OneTimeCode, typed: &str) -> bool {
    let typed = Zeroizing::new(stored.purpose.normalised(typed));
    crate::crypto::keyed_hash::equal(&stored.hash, &hash_code(app, stored.id, &typed))
}

fn hash_code(app: &App, id: Uuid, code: &str) -> [u8; 32] {
    app.secrets
        .hashes
        .hash("one-time-code", &[id.as_bytes(), code.as_bytes()])
}

fn draw(app: &App, purpose: CodePurpose) -> Zeroizing<String> {
    if purpose == CodePurpose::PasswordReset {
        return Zeroizing::new(one_time_code::reset_code(app.ambient.bytes()));
    }
    loop {
        if let Some(digits) = one_time_code::digits(app.ambient.bytes()) {
            return Zeroizing::new(digits);
        }
    }
}

async fn put(
    work: &mut Work<'_>,
    (kind, silent): (DeliveryKind, bool),
    to: Addressee,
    code: &str,
    expires_at: DateTime<Utc>,
) -> Result<Delivery, Error> {
    let app = work.app();
    let delivery = Delivery {
        id: app.ambient.uuid_v7(),
        kind,
        channel: to.contact.channel(),
        language: to.language,
        silent,
        expires_at,
        taken_by: None,
    };
    let content = Sealed {
        address: to.contact.as_str().to_owned(),
        code: code.to_owned(),
    };
    let content = Zeroizing::new(serde_json::to_vec(&content).map_err(Error::SealedContent)?);
    let sealed = app
        .secrets
        .deliveries
        .seal(&app.ambient, delivery.id.as_bytes(), &content)?;
    deliveries::insert(work.conn(), &delivery, &sealed).await?;
    work.event(publish::delivery_requested(&delivery)).await?;
    Ok(delivery)
}
