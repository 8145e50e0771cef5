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
/// way, and nothing is sent. Nor is it when many have asked for resets of the account: the code of one of those, which is in
/// the mailbox and still good, does for this one as well, so that no stranger keeps the holder waiting.
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
    let folded = email.folded();
    let mut limits = limits::by_source(limits::RESET_ADDRESS, &[], &client_address);
    limits.extend(limits::by_source(
        limits::RESET_ACCOUNT,
        &[&folded],
        &client_address,
    ));
    work.count(&limits).await?;
    let mailed = work
        .count_if_left(&limits::of(limits::RESET_MAILS, &[&folded]))
        .await?;
    let holder = people::find_by_email(work.conn(), &email).await?;
    let reset = PasswordReset {
        password_reset_id: app.ambient.uuid_v7(),
        person_id: holder.as_ref().map(|person| person.id),
        account: account_key(app, &email),
        mailed,
        expires_at: app.ambient.now() + one_time_code::LIFE,
        done: false,
    };
    password_resets::insert(work.conn(), &reset).await?;
    let kind = DeliveryKind::PasswordResetCode;
    let sent = match holder {
        Some(person) if mailed => Sent::Code(kind, to(person.email, person.language)),
        Some(person) => Sent::Nothing(kind, to(person.email, person.language)),
        None => Sent::Nothing(kind, to(email, Language::French)),
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

fn to(email: Email, language: Language) -> Addressee {
    Addressee {
        contact: Contact::Email(email),
        language,
    }
}

/// Stands for an account, or for an address without one.
fn account_key(app: &App, email: &Email) -> String {
    let hash = app
        .secrets
        .hashes
        .hash("password-reset-account", &[email.folded().as_bytes()]);
    BASE64URL_NOPAD.encode(&hash)
}
