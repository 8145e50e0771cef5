//! Mail about a legalisation request, the sealed files with it or by link.

use secrecy::ExposeSecret;
use uuid::Uuid;

use super::client_error;
use crate::app::App;
use crate::app::compose::{self, Carriage};
use crate::clients::ClientError;
use crate::clients::identity::Recipient;
use crate::clients::signature::{Attachment, Facts};
use crate::domain::message::{Channel, Message, Outcome};
use crate::domain::message_id::reference;
use crate::domain::template::Template;
use crate::letter;
use crate::mail::{self, Mail};
use crate::text_message::SendError;

/// Asks for the facts and sends the mail.
pub(super) async fn send(app: &App, message: &Message) -> Result<(), Outcome> {
    let facts = app.signature.facts(message.aggregate_id).await.map_err(signature_error)?;
    let recipient = app.identity.recipient(facts.applicant_id).await;
    let recipient = recipient
        .map_err(|error| client_error(error, "IDENTITY_UNAVAILABLE", |code| Outcome::Refused { code }))?;
    if recipient.email.expose_secret().is_empty() {
        return Err(Outcome::Refused { code: "NO_ADDRESS".to_owned() });
    }
    let total: u64 = facts.files.iter().map(|file| file.size_bytes).sum();
    if message.template != Template::Delivered {
        return send_letter(app, message, &recipient, &facts, Vec::new(), Carriage::Nothing).await.map_err(Outcome::from);
    }
    if !recipient.wants_attachments || facts.files.is_empty() {
        return send_letter(app, message, &recipient, &facts, Vec::new(), Carriage::Link).await.map_err(Outcome::from);
    }
    if total <= app.attachment_limit {
        // Whoever closes a semaphore ends the process.
        let _permit = app.attachments.acquire().await;
        let files = download(app, message.aggregate_id, &facts).await.map_err(signature_error)?;
        let names = files.iter().map(|file| file.file_name.clone()).collect();
        match send_letter(app, message, &recipient, &facts, files, Carriage::Attached(names)).await {
            // This server's bound is lower than ours.
            Err(SendFault::Send(SendError::Refused { code })) if code == mail::TOO_LARGE => {}
            sent => return sent.map_err(Outcome::from),
        }
    }
    send_letter(app, message, &recipient, &facts, Vec::new(), Carriage::LargeLink).await.map_err(Outcome::from)
}

/// Why a letter did not go out.
enum SendFault {
    Words(letter::LetterError),
    Send(SendError),
}

impl From<SendFault> for Outcome {
    fn from(fault: SendFault) -> Self {
        match fault {
            SendFault::Words(error) => error.into(),
            SendFault::Send(error) => error.into(),
        }
    }
}

async fn send_letter(
    app: &App,
    message: &Message,
    recipient: &Recipient,
    facts: &Facts,
    attachments: Vec<Attachment>,
    carriage: Carriage,
) -> Result<(), SendFault> {
    let common = letter::common(recipient.language, message.template).map_err(SendFault::Words)?;
    let values = compose::request(&app.house, common, recipient, facts, &carriage);
    let letter =
        letter::mail(&app.house, recipient.language, message.template, &values).map_err(SendFault::Words)?;
    let to = recipient.email.expose_secret();
    let reference = reference(message.cause_event_id, to, Channel::Email);
    let mail = Mail { to, reference: &reference, at: app.ambient.now(), letter: &letter, attachments };
    app.mailer.send(mail).await.map_err(SendFault::Send)
}

async fn download(app: &App, request_id: Uuid, facts: &Facts) -> Result<Vec<Attachment>, ClientError> {
    let mut files = Vec::new();
    for file in &facts.files {
        files.push(app.signature.download(request_id, file.kind, file.size_bytes).await?);
    }
    Ok(files)
}

fn signature_error(error: ClientError) -> Outcome {
    client_error(error, "SIGNATURE_UNAVAILABLE", |code| Outcome::Refused { code })
}
