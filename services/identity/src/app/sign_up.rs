use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::deliver::{Addressee, Sent, send_code};
use super::limits::Asker;
use super::work::{Work, begin};
use super::{App, Command, Error, Reply, limits};
use crate::domain::contact::Contact;
use crate::domain::delivery::{Delivery, DeliveryKind};
use crate::domain::password::NewPassword;
use crate::domain::sign_up::{self, NewAccount, SignUp};
use crate::domain::vocabulary::Channel;
use crate::store::{people, sign_ups};

/// What is asked.
pub struct NewSignUp {
    pub account: NewAccount,
    pub password: NewPassword,
    pub client_address: String,
}

/// What came of it.
pub struct SignUpOpened {
    pub id: Uuid,
    pub expires_at: DateTime<Utc>,
    pub deliveries: Vec<Delivery>,
    /// Whether the number of the document deserves a second look.
    pub document_unusual: bool,
}

/// Opens a sign-up. The same work is done and the same answer given whether or not the e-mail address has an account: its
/// holder gets a notice in the place of the code.
///
/// # Errors
/// [`Error::Limited`] by address and by contact.
pub async fn sign_up<R: Reply>(
    app: &App,
    command: &Command,
    input: NewSignUp,
    reply: impl FnOnce(SignUpOpened) -> R,
) -> Result<R, Error> {
    if let Some(reply) = Work::done_before(app, command).await? {
        return Ok(reply);
    }
    let (email, phone) = (input.account.email.folded(), input.account.phone.as_str());
    let source = input.client_address.as_str();
    let opened = limits::by_source(limits::SIGN_UP_ADDRESS, &[], source);
    app.require_left(&opened).await?;
    for contact in [&email, phone] {
        app.require_left(&limits::codes_to(contact, Asker::Address(source)))
            .await?;
    }
    let password_hash = app.hasher.hash(&app.ambient, input.password.expose()).await?;
    let mut work = begin!(app, command);
    work.count(&opened).await?;
    let sign_up = SignUp {
        id: app.ambient.uuid_v7(),
        account: input.account,
        password_hash,
        email_proved: false,
        phone_proved: false,
        expires_at: app.ambient.now() + sign_up::LIFE,
        person_id: None,
    };
    sign_ups::insert(work.conn(), &sign_up).await?;
    let mut deliveries = Vec::new();
    for channel in [Channel::Email, Channel::Phone] {
        deliveries.push(send(&mut work, &sign_up, channel, &input.client_address).await?);
    }
    work.audit("sign_up.open", ("sign_up", sign_up.id), json!({}))
        .await?;
    let opened = SignUpOpened {
        id: sign_up.id,
        expires_at: sign_up.expires_at,
        deliveries,
        document_unusual: sign_up.account.civil.document.is_unusual(),
    };
    work.finish(reply(opened)).await
}

/// Sends the code of one contact, or the notice in its place. Both are counted by the contact.
pub(super) async fn send(
    work: &mut Work<'_>,
    sign_up: &SignUp,
    channel: Channel,
    client_address: &str,
) -> Result<Delivery, Error> {
    let account = &sign_up.account;
    let limits = limits::codes_to(&sign_up.contact(channel), Asker::Address(client_address));
    work.count(&limits).await?;
    let holder = people::find_by_email(work.conn(), &account.email).await?;
    let sent = match (channel, holder) {
        (Channel::Email, Some(holder)) => {
            let to = Addressee {
                contact: Contact::Email(holder.email),
                language: holder.language,
            };
            Sent::Instead(DeliveryKind::AccountExistsNotice, to)
        }
        (Channel::Email, None) => {
            let to = Addressee {
                contact: Contact::Email(account.email.clone()),
                language: account.language,
            };
            Sent::Code(DeliveryKind::SignUpCode, to)
        }
        (Channel::Phone, _) => {
            let to = Addressee {
                contact: Contact::Phone(account.phone.clone()),
                language: account.language,
            };
            Sent::Code(DeliveryKind::SignUpCode, to)
        }
    };
    send_code(work, sign_up::code_purpose(channel), sign_up.id, sent).await
}
