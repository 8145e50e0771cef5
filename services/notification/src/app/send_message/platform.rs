//! What whoever looks after the platform has to do, to the address of the configuration.

use super::HandOver;
use crate::app::{App, compose};
use crate::domain::message::{Channel, Message, Outcome};
use crate::domain::message_id::reference;
use crate::letter;
use crate::mail::Mail;

/// Sends the mail. What it is about, such as a range of numbers, is named by its id.
pub(super) async fn send(app: &App, message: &Message, hand_over: &HandOver) -> Result<(), Outcome> {
    let administration = &app.administration;
    let values = compose::platform(message.aggregate_id);
    let letter = letter::mail(&app.house, administration.language, message.template, &values)?;
    let to = administration.email.as_str();
    let reference = reference(message.cause_event_id, to, Channel::Email);
    let mail = Mail {
        to,
        reference: &reference,
        at: app.ambient.now(),
        letter: &letter,
        attachments: Vec::new(),
    };
    hand_over.begin();
    app.mailer.send(mail).await?;
    Ok(())
}
