//! Messages about an order of civil-status acts, by mail and, for the few steps that cannot wait, by text message too.

use secrecy::ExposeSecret;

use super::{HandOver, client_error};
use crate::app::{App, compose};
use crate::clients::civil_registry_order::{LineFacts, OrderFacts, Stage};
use crate::clients::identity::Recipient;
use crate::domain::message::{Channel, Message, Outcome};
use crate::domain::message_id::reference;
use crate::domain::template::Template;
use crate::letter::{self, Values};
use crate::mail::Mail;
use crate::text_message::TextMessage;
use wathiq_chassis::civil_date;

/// Reason of a message that things have overtaken: what it asks for is done, or can no longer be done.
pub(super) const OVERTAKEN: &str = "OVERTAKEN";

/// Asks for the facts and sends the message.
pub(super) async fn send(app: &App, message: &Message, hand_over: &HandOver) -> Result<(), Outcome> {
    let facts = app.orders.order_facts(message.aggregate_id, &message.about).await;
    let mut facts =
        facts.map_err(|error| client_error(error, "CIVIL_REGISTRY_ORDER_UNAVAILABLE", dropped))?;
    facts.lines.retain(|line| concerns(message.template, line));
    if facts.lines.is_empty() || is_overtaken(app, message.template, &facts) {
        return Err(dropped(OVERTAKEN.to_owned()));
    }
    let recipient = app.identity.recipient(facts.person_id).await;
    let recipient = recipient
        .map_err(|error| client_error(error, "IDENTITY_UNAVAILABLE", |code| Outcome::Refused { code }))?;
    let (language, common) = letter::common(recipient.language, message.template)?;
    let values = compose::order(&app.house, (language, common), &recipient, &facts);
    match message.channel {
        Channel::Email => send_mail(app, message, hand_over, &recipient, &values).await,
        Channel::Text => send_text(app, message, hand_over, &recipient, &values).await,
    }
}

fn dropped(reason: String) -> Outcome {
    Outcome::Dropped { reason }
}

/// Whether the message still concerns a line, by what the facts say now: it stands at the step that is told, or waits for what is asked.
fn concerns(template: Template, line: &LineFacts) -> bool {
    let stands_at = |told: Stage| line.stage.is_none_or(|stage| stage == told);
    match template {
        Template::OrderInProduction => stands_at(Stage::InProduction),
        Template::OrderProduced => stands_at(Stage::Produced),
        Template::OrderRefundFailed => line.refunded_centimes == 0,
        Template::OrderCorrectionRequested | Template::OrderAddressRefused => line.reason_code.is_some(),
        _ => true,
    }
}

/// Whether it is too late for what the message asks of the person.
fn is_overtaken(app: &App, template: Template, facts: &OrderFacts) -> bool {
    let now = app.ambient.now();
    match template {
        Template::OrderPlaced => facts.pay_before.is_some_and(|end| end <= now),
        Template::OrderHeldForCollection => {
            let today = civil_date(now);
            let mut lasts = facts.lines.iter().filter_map(|line| line.held_until);
            lasts.any(|last| last < today)
        }
        _ => false,
    }
}

async fn send_mail(
    app: &App,
    message: &Message,
    hand_over: &HandOver,
    recipient: &Recipient,
    values: &Values,
) -> Result<(), Outcome> {
    let to = recipient.email.expose_secret();
    if to.is_empty() {
        return Err(Outcome::Refused {
            code: "NO_ADDRESS".to_owned(),
        });
    }
    let letter = letter::mail(&app.house, recipient.language, message.template, values)?;
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

/// The mail says the same: without a phone, or without a value that the text message names, there is none.
async fn send_text(
    app: &App,
    message: &Message,
    hand_over: &HandOver,
    recipient: &Recipient,
    values: &Values,
) -> Result<(), Outcome> {
    let to = recipient.phone.expose_secret();
    if to.is_empty() {
        return Err(dropped("NO_PHONE".to_owned()));
    }
    let Some(text) = letter::text_message(&app.house, recipient.language, message.template, values)? else {
        return Err(dropped("FACTS_MISSING".to_owned()));
    };
    let reference = reference(message.cause_event_id, to, Channel::Text);
    hand_over.begin();
    app.text_messages
        .send(TextMessage {
            to,
            text: &text,
            reference: &reference,
        })
        .await?;
    Ok(())
}
