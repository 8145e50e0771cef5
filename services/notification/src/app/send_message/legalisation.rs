//! Mail about a legalisation request, the sealed files with it or by link.

use secrecy::ExposeSecret;

use super::{HandOver, client_error};
use crate::app::App;
use crate::app::compose::{self, Carriage};
use crate::clients::ClientError;
use crate::clients::identity::Recipient;
use crate::clients::signature::{Attachment, Facts};
use crate::domain::message::{Channel, Message, Outcome};
use crate::domain::message_id::reference;
use crate::domain::template::Template;
use crate::letter::{self, LetterError};
use crate::mail::{self, Mail};
use crate::text_message::SendError;

/// Asks for the facts and sends the mail.
pub(super) async fn send(app: &App, message: &Message, hand_over: &HandOver) -> Result<(), Outcome> {
    let facts = app
        .signature
        .facts(message.aggregate_id)
        .await
        .map_err(signature_error)?;
    let recipient = app.identity.recipient(facts.applicant_id).await;
    let recipient = recipient
        .map_err(|error| client_error(error, "IDENTITY_UNAVAILABLE", |code| Outcome::Refused { code }))?;
    if recipient.email.expose_secret().is_empty() {
        return Err(Outcome::Refused {
            code: "NO_ADDRESS".to_owned(),
        });
    }
    let writing = Writing {
        app,
        message,
        recipient: &recipient,
        facts: &facts,
        hand_over,
    };
    let sent = match message.template {
        Template::Delivered => writing.send_sealed().await,
        _ => writing.send(Vec::new(), Carriage::Nothing).await,
    };
    Ok(sent?)
}

/// All that a mail is made of.
struct Writing<'a> {
    app: &'a App,
    message: &'a Message,
    recipient: &'a Recipient,
    facts: &'a Facts,
    hand_over: &'a HandOver,
}

/// Why a mail did not go out.
enum Fault {
    Files(ClientError),
    Words(LetterError),
    Send(SendError),
}

impl Writing<'_> {
    /// The sealed files as the reader prefers them, and by link where they are too large for us or for the mail server.
    async fn send_sealed(&self) -> Result<(), Fault> {
        let files = &self.facts.files;
        if !self.recipient.wants_attachments || files.is_empty() {
            return self.send(Vec::new(), Carriage::Link).await;
        }
        if files.iter().map(|file| file.size_bytes).sum::<u64>() <= self.app.attachment_limit {
            match self.send_attached().await {
                Err(Fault::Send(SendError::Refused { code })) if code == mail::TOO_LARGE => {}
                sent => return sent,
            }
        }
        self.send(Vec::new(), Carriage::LargeLink).await
    }

    /// The files stand in memory whole; the lane of such mails has one place.
    async fn send_attached(&self) -> Result<(), Fault> {
        let mut attachments = Vec::new();
        for file in &self.facts.files {
            let download = self
                .app
                .signature
                .download(self.message.aggregate_id, file.kind, file.size_bytes);
            attachments.push(download.await.map_err(Fault::Files)?);
        }
        let names = attachments.iter().map(|file| file.file_name.clone()).collect();
        self.send(attachments, Carriage::Attached(names)).await
    }

    async fn send(&self, attachments: Vec<Attachment>, carriage: Carriage) -> Result<(), Fault> {
        let (language, template) = (self.recipient.language, self.message.template);
        let house = &self.app.house;
        let common = letter::common(language, template).map_err(Fault::Words)?;
        let values = compose::request(house, common, self.recipient, self.facts, &carriage);
        let letter = letter::mail(house, language, template, &values).map_err(Fault::Words)?;
        let to = self.recipient.email.expose_secret();
        let reference = reference(self.message.cause_event_id, to, Channel::Email);
        let at = self.app.ambient.now();
        let mail = Mail {
            to,
            reference: &reference,
            at,
            letter: &letter,
            attachments,
        };
        self.hand_over.begin();
        self.app.mailer.send(mail).await.map_err(Fault::Send)
    }
}

impl From<Fault> for Outcome {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Files(error) => signature_error(error),
            Fault::Words(error) => error.into(),
            Fault::Send(error) => error.into(),
        }
    }
}

fn signature_error(error: ClientError) -> Outcome {
    client_error(error, "SIGNATURE_UNAVAILABLE", |code| Outcome::Refused { code })
}
