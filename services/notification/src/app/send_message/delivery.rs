//! One-time codes and notices of identity. A code that comes too late is never sent.

use secrecy::ExposeSecret;

use super::{HandOver, client_error};
use crate::app::{App, compose};
use crate::clients::identity::Delivery;
use crate::domain::message::{Channel, Message, Outcome};
use crate::domain::message_id::reference;
use crate::domain::template::Template;
use crate::letter::{self, LetterError};
use crate::mail::Mail;
use crate::text_message::TextMessage;

/// Takes the delivery and sends it. Answers what it turned out to be.
pub(super) async fn send(app: &App, message: &Message, hand_over: &HandOver) -> Result<Template, Outcome> {
    // The event's id is the request id: whoever tries again, here or in another process, may take it again.
    let taken = app
        .identity
        .take_delivery(message.cause_event_id, message.aggregate_id)
        .await;
    let delivery = taken.map_err(|error| {
        client_error(error, "IDENTITY_UNAVAILABLE", |reason| Outcome::Dropped {
            reason,
        })
    })?;
    if app.ambient.now() >= delivery.expires_at {
        return Err(Outcome::Dropped {
            reason: "DELIVERY_EXPIRED".to_owned(),
        });
    }
    hand_over.begin();
    match delivery.channel {
        Channel::Email => send_mail(app, message, &delivery).await?,
        Channel::Text => send_text(app, message, &delivery).await?,
    }
    Ok(delivery.template)
}

async fn send_mail(app: &App, message: &Message, delivery: &Delivery) -> Result<(), Outcome> {
    let (_, common) = letter::common(delivery.language, delivery.template)?;
    let values = compose::delivery(common, delivery);
    let letter = letter::mail(&app.house, delivery.language, delivery.template, &values)?;
    let to = delivery.address.expose_secret();
    let reference = reference(message.cause_event_id, to, Channel::Email);
    let at = app.ambient.now();
    app.mailer
        .send(Mail {
            to,
            reference: &reference,
            at,
            letter: &letter,
            attachments: Vec::new(),
        })
        .await?;
    Ok(())
}

async fn send_text(app: &App, message: &Message, delivery: &Delivery) -> Result<(), Outcome> {
    let (_, common) = letter::common(delivery.language, delivery.template)?;
    let values = compose::delivery(common, delivery);
    let text = letter::text_message(&app.house, delivery.language, delivery.template, &values)?;
    let text = text.ok_or(LetterError::NoText)?;
    let to = delivery.address.expose_secret();
    let reference = reference(message.cause_event_id, to, Channel::Text);
    app.text_messages
        .send(TextMessage {
            to,
            text: &text,
            reference: &reference,
        })
        .await?;
    Ok(())
}
