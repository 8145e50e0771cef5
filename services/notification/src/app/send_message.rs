//! One attempt at a message: facts, words, and the server's answer. Nothing is written to the database here.

mod delivery;
mod legalisation;
mod office;
mod order;
mod platform;

use std::sync::atomic::{AtomicBool, Ordering};

use wathiq_chassis::status;

use super::App;
use super::settle_message::Attempt;
use crate::clients::ClientError;
use crate::domain::message::{Message, Outcome, TOO_LATE};
use crate::domain::template::Subject;
use crate::letter::LetterError;
use crate::text_message::SendError;

/// Whether an attempt has begun to hand a message to the mail server or the provider.
#[derive(Debug, Default)]
pub struct HandOver(AtomicBool);

impl HandOver {
    fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Tries a message. Whatever happens is an outcome.
pub async fn attempt(app: &App, message: &Message, hand_over: &HandOver) -> Attempt {
    let template = message.template;
    if message.is_stale(app.ambient.now()) {
        return Attempt {
            template,
            outcome: Outcome::Dropped {
                reason: TOO_LATE.to_owned(),
            },
        };
    }
    let sent = match template.subject() {
        Subject::Delivery => return delivery(app, message, hand_over).await,
        Subject::Legalisation => legalisation::send(app, message, hand_over).await,
        Subject::Order => order::send(app, message, hand_over).await,
        Subject::Office => office::send(app, message, hand_over).await,
        Subject::Platform => platform::send(app, message, hand_over).await,
    };
    Attempt {
        template,
        outcome: outcome(sent),
    }
}

/// A code or notice turns out to be of a kind while it is sent.
async fn delivery(app: &App, message: &Message, hand_over: &HandOver) -> Attempt {
    match delivery::send(app, message, hand_over).await {
        Ok(template) => Attempt {
            template,
            outcome: Outcome::Sent,
        },
        Err(outcome) => Attempt {
            template: message.template,
            outcome,
        },
    }
}

fn outcome(sent: Result<(), Outcome>) -> Outcome {
    match sent {
        Ok(()) => Outcome::Sent,
        Err(outcome) => outcome,
    }
}

/// What does not answer is reported here, once; the text of the report names no person.
fn again(code: &str, error: &(dyn std::error::Error + 'static)) -> Outcome {
    tracing::warn!(
        event = "message.delayed",
        code,
        error = status::chain(error),
        "a message waits"
    );
    Outcome::Again {
        code: code.to_owned(),
    }
}

impl From<SendError> for Outcome {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused { code } => Self::Refused { code },
            SendError::Unavailable { ref code, .. } => again(code, &error),
        }
    }
}

impl From<LetterError> for Outcome {
    fn from(error: LetterError) -> Self {
        tracing::error!(
            event = "message.no_text",
            error = status::chain(&error),
            "a message has no words"
        );
        Self::Refused {
            code: "NO_TEXT".to_owned(),
        }
    }
}

/// A service's answer that there is nothing (any more) is final, with the outcome that `gone` makes of the reason.
fn client_error(error: ClientError, code: &str, gone: impl FnOnce(String) -> Outcome) -> Outcome {
    match error {
        ClientError::Gone { reason } => gone(reason),
        error @ ClientError::Unavailable(_) => again(code, &error),
    }
}
