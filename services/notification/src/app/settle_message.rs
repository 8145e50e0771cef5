//! Notes what became of an attempt.

use wathiq_outbox::OutboxError;

use super::App;
use crate::domain::message::{Message, Outcome};
use crate::domain::template::Template;
use crate::events::publish;
use crate::store::{StoreError, messages};

/// Why an outcome was not noted. The message is then tried again, with the same Message-ID.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error("the outcome cannot be written")]
    Store(#[from] StoreError),
    #[error("the event of the outcome cannot be written")]
    Outbox(#[from] OutboxError),
    #[error("the database did not answer")]
    Database(#[from] sqlx::Error),
}

/// What was learnt by an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What the message turned out to say.
    pub template: Template,
    pub outcome: Outcome,
}

/// Notes the outcome and, when it ends the message, its event. None when another process took the message over meanwhile.
///
/// # Errors
/// [`SettleError`].
pub async fn settle(app: &App, message: Message, attempt: Attempt) -> Result<Option<Message>, SettleError> {
    let [jitter] = app.ambient.bytes();
    let message = Message {
        template: attempt.template,
        ..message
    };
    let message = message.after(attempt.outcome, app.ambient.now(), jitter);
    let mut transaction = app.pool.begin().await?;
    if !messages::save(&mut transaction, &message).await? {
        return Ok(None);
    }
    if let Some(event) = publish::ended(&message) {
        wathiq_outbox::append(&mut transaction, &app.ambient, event).await?;
    }
    transaction.commit().await?;
    Ok(Some(message))
}
