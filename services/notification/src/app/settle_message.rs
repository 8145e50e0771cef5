//! Notes what became of an attempt.

use std::error::Error;

use chrono::{DateTime, Utc};
use wathiq_outbox::{DatabaseFailure, OutboxError};

use super::App;
use crate::domain::message::{Message, Outcome};
use crate::domain::template::Template;
use crate::events::publish;
use crate::store::{StoreError, messages};

/// Why an outcome was not noted.
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

impl Attempt {
    /// The message after this attempt, which ended at `now`.
    #[must_use]
    pub fn applied_to(self, message: Message, now: DateTime<Utc>, jitter: u8) -> Message {
        let message = Message {
            template: self.template,
            ..message
        };
        message.after(self.outcome, now, jitter)
    }
}

impl SettleError {
    /// Whether the database did not answer, as opposed to not taking this row: then trying again helps, however late.
    #[must_use]
    pub fn database_is_away(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<sqlx::Error>() {
                return DatabaseFailure::of(error) != DatabaseFailure::Wrong;
            }
            cause = error.source();
        }
        false
    }
}

/// Notes a message's state after an attempt and, when that ends it, the event. False when it is noted already, or when
/// another process took the message over meanwhile.
///
/// # Errors
/// [`SettleError`].
pub async fn settle(app: &App, message: &Message) -> Result<bool, SettleError> {
    let mut transaction = app.pool.begin().await?;
    if !messages::save(&mut transaction, message).await? {
        return Ok(false);
    }
    if let Some(event) = publish::ended(message) {
        wathiq_outbox::append(&mut transaction, &app.ambient, event).await?;
    }
    transaction.commit().await?;
    Ok(true)
}
