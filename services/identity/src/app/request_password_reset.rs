use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use uuid::Uuid;

use super::deliver::{Addressee, Sent, send_code};
use super::work::begin;
use super::{App, Command, Error, Reply, limits};
use crate::domain::contact::{Contact, Email};
use crate::domain::delivery::{Delivery, DeliveryKind};
use crate::domain::one_time_code::{self, CodePurpose};
use crate::domain::vocabulary::Language;
use crate::store::password_resets::{self, PasswordReset};
use crate::store::people;

/// Asks for a reset by e-mailed code. For an address without an account the same rows are written, the delivery goes the same
/// way, and nothing is sent.
///
/// # Errors
/// [`Error::Limited`].
pub async fn request_password_reset<R: Reply>(
    app: &App,
    command: &Command,
    (email, client_address): (Email, String),
    reply: impl FnOnce(Uuid, Delivery) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    work.count(limits::RESET_ADDRESS, &[&client_address]).await?;
    work.count(limits::RESET_ACCOUNT, &[&email.folded(), &client_address])
        .await?;
    let holder = people::find_by_email(work.conn(), &email).await?;
    let account = holder.as_ref().map_or(Uuid::nil(), |person| person.id);
    let known = work.known_address(account, &client_address).await?;
    work.count(limits::RESET_STRANGERS, &[&email.folded(), &known])
        .await?;
    let reset = PasswordReset {
        password_reset_id: app.ambient.uuid_v7(),
        person_id: holder.as_ref().map(|person| person.id),
        account: account_key(app, &email),
        expires_at: app.ambient.now() + one_time_code::LIFE,
        done: false,
    };
    password_resets::insert(work.conn(), &reset).await?;
    let kind = DeliveryKind::PasswordResetCode;
    let sent = match holder {
        Some(person) => Sent::Code(
            kind,
            Addressee {
                contact: Contact::Email(person.email),
                language: person.language,
            },
        ),
        None => Sent::Nothing(
            kind,
            Addressee {
                contact: Contact::Email(email),
                language: Language::French,
            },
        ),
    };
    let delivery = send_code(
        &mut work,
        CodePurpose::PasswordReset,
        reset.password_reset_id,
        sent,
    )
    .await?;
    work.audit(
        "password.request_reset",
        ("password_reset", reset.password_reset_id),
        json!({}),
    )
    .await?;
    work.finish(reply(reset.password_reset_id, delivery)).await
}

/// Stands for an account, or for an address without one.
fn account_key(app: &App, email: &Email) -> String {
    let hash = app
        .secrets
        .hashes
        .hash("password-reset-account", &[email.folded().as_bytes()]);
    BASE64URL_NOPAD.encode(&hash)
}
