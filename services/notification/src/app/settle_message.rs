//! Notes what became of an attempt.

use std::error::Error;

use chrono::{DateTime, Utc};
use wathiq_outbox::OutboxError;

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
                return away(error);
            }
            cause = error.source();
        }
        false
    }
}

/// By SQLSTATE class: lost connections (08), rollbacks (40), want of resources (53), shutdown and cancellation (57).
fn away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            ["08", "40", "53", "57"]
                .iter()
                .any(|class| code.starts_with(class))
        }),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Protocol(_) => {
            true
        }
        _ => false,
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
