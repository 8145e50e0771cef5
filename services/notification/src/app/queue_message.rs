//! Notes that a message is to be sent.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Ambient, telemetry};
use wathiq_outbox::OutboxError;

use crate::domain::message::{Channel, Message, State};
use crate::domain::retry;
use crate::domain::template::Template;
use crate::events::publish;
use crate::store::{StoreError, messages};

/// The event that a message follows from.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    pub event_id: Uuid,
    pub aggregate_id: Uuid,
    /// Which parts of the aggregate it tells of.
    pub about: &'a [Uuid],
    pub happened_at: DateTime<Utc>,
}

/// Why a message was not queued.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("the message cannot be written")]
    Store(#[from] StoreError),
    #[error("the event of the message cannot be written")]
    Outbox(#[from] OutboxError),
}

/// Queues a message unless there is one about the same parts of the same aggregate. Answers whether it did.
///
/// # Errors
/// [`QueueError`].
pub async fn queue_once(
    conn: &mut PgConnection,
    ambient: &Ambient,
    cause: Cause<'_>,
    template: Template,
    channel: Channel,
) -> Result<bool, QueueError> {
    if messages::exists(conn, cause.aggregate_id, cause.about, template).await? {
        return Ok(false);
    }
    queue(conn, ambient, cause, template, channel).await?;
    Ok(true)
}

/// Queues a message in the caller's transaction, due at once; or adds what it tells of to one that waits for company.
///
/// # Errors
/// [`QueueError`].
pub async fn queue(
    conn: &mut PgConnection,
    ambient: &Ambient,
    cause: Cause<'_>,
    template: Template,
    channel: Channel,
) -> Result<(), QueueError> {
    let now = ambient.now();
    let give_up_at = retry::give_up_at(cause.happened_at);
    let wait = template.waits_for_company();
    if wait.is_some()
        && messages::join(
            conn,
            cause.aggregate_id,
            cause.about,
            template,
            channel,
            give_up_at,
        )
        .await?
    {
        return Ok(());
    }
    let message = Message {
        id: ambient.uuid_v7(),
        cause_event_id: cause.event_id,
        aggregate_id: cause.aggregate_id,
        about: cause.about.to_vec(),
        template,
        channel,
        state: State::Queued { failure_code: None },
        attempts: 0,
        next_attempt_at: now + wait.unwrap_or_default(),
        give_up_at,
        traceparent: telemetry::traceparent(),
        created_at: now,
    };
    messages::insert(conn, &message).await?;
    wathiq_outbox::append(conn, ambient, publish::queued(&message)).await?;
    Ok(())
}
