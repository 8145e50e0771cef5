//! The daily mail to an office with waiting orders.

use secrecy::ExposeSecret;
use wathiq_chassis::civil_date;

use super::order::OVERTAKEN;
use super::{HandOver, client_error};
use crate::app::{App, compose};
use crate::domain::message::{Channel, Message, Outcome};
use crate::domain::message_id::reference;
use crate::letter;
use crate::mail::Mail;

/// Asks for the facts and sends the mail. Yesterday's mail is of no use today, when another one follows.
pub(super) async fn send(app: &App, message: &Message, hand_over: &HandOver) -> Result<(), Outcome> {
    let dropped = |reason: String| Outcome::Dropped { reason };
    let now = app.ambient.now();
    if civil_date(now) > civil_date(message.created_at) {
        return Err(dropped(OVERTAKEN.to_owned()));
    }
    let Some(office_id) = message.about.first() else {
        return Err(dropped("OFFICE_NOT_FOUND".to_owned()));
    };
    let facts = app.orders.office_facts(*office_id, message.aggregate_id).await;
    let facts = facts.map_err(|error| client_error(error, "CIVIL_REGISTRY_ORDER_UNAVAILABLE", dropped))?;
    let Some(email) = &facts.email else {
        return Err(dropped("NO_ADDRESS".to_owned()));
    };
    let (language, _) = letter::common(facts.language, message.template)?;
    let values = compose::office(&app.house, language, *office_id, &facts);
    let letter = letter::mail(&app.house, facts.language, message.template, &values)?;
    let to = email.expose_secret();
    let reference = reference(message.cause_event_id, to, Channel::Email);
    let mail = Mail {
        to,
        reference: &reference,
        at: now,
        letter: &letter,
        attachments: Vec::new(),
    };
    hand_over.begin();
    app.mailer.send(mail).await?;
    Ok(())
}
