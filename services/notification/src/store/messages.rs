//! Table `message`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;
use crate::domain::message::{Channel, Message, State};
use crate::domain::template::{Lane, Template};

const TABLE: &str = "message";

/// The channel on which senders are woken.
pub const CHANNEL: &str = "wathiq_message";

#[derive(sqlx::FromRow)]
struct MessageRow {
    message_id: Uuid,
    cause_event_id: Uuid,
    aggregate_id: Uuid,
    about_ids: Vec<Uuid>,
    template: String,
    channel: String,
    state: String,
    attempts: i32,
    next_attempt_at: DateTime<Utc>,
    give_up_at: DateTime<Utc>,
    failure_code: Option<String>,
    traceparent: Option<String>,
    created_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl MessageRow {
    fn read(self) -> Result<Message, StoreError> {
        let wrong = |column| StoreError::Inconsistent {
            table: TABLE,
            column,
            id: self.message_id,
        };
        let template = Template::parse(&self.template).ok_or_else(|| wrong("template"))?;
        let channel = Channel::parse(&self.channel).ok_or_else(|| wrong("channel"))?;
        let state = match (self.state.as_str(), self.ended_at, self.failure_code.clone()) {
            ("queued", None, failure_code) => State::Queued { failure_code },
            ("sent", Some(at), _) => State::Sent { at },
            ("failed", Some(at), Some(code)) => State::Failed { at, code },
            ("dropped", Some(at), Some(reason)) => State::Dropped { at, reason },
            _ => return Err(wrong("state")),
        };
        Ok(Message {
            id: self.message_id,
            cause_event_id: self.cause_event_id,
            aggregate_id: self.aggregate_id,
            about: self.about_ids,
            template,
            channel,
            state,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at,
            give_up_at: self.give_up_at,
            traceparent: self.traceparent,
            created_at: self.created_at,
        })
    }
}

/// Queues a message and wakes the senders when the transaction commits.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, message: &Message) -> Result<(), StoreError> {
    sqlx::query(
        "WITH queued AS (
             INSERT INTO message (message_id, cause_event_id, aggregate_id, template, lane, channel, state, attempts,
                                  next_attempt_at, give_up_at, failure_code, traceparent, created_at, about_ids)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             RETURNING message_id
         )
         SELECT pg_notify($15, '') FROM queued",
    )
    .bind(message.id)
    .bind(message.cause_event_id)
    .bind(message.aggregate_id)
    .bind(message.template.as_str())
    .bind(message.template.lane().as_str())
    .bind(message.channel.as_str())
    .bind(message.state.as_str())
    .bind(message.attempts)
    .bind(message.next_attempt_at)
    .bind(message.give_up_at)
    .bind(message.state.failure_code())
    .bind(&message.traceparent)
    .bind(message.created_at)
    .bind(&message.about)
    .bind(CHANNEL)
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds parts of an aggregate to a message about it that nobody has taken yet, which is then worth telling as long as the newest of them.
/// Answers whether there is one.
///
/// # Errors
/// [`StoreError`].
pub async fn join(
    conn: &mut PgConnection,
    aggregate_id: Uuid,
    about: &[Uuid],
    template: Template,
    channel: Channel,
    give_up_at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let joined = sqlx::query(
        "UPDATE message SET about_ids = about_ids || ARRAY(SELECT part FROM unnest($2::uuid[]) AS part WHERE part <> ALL (about_ids)),
            give_up_at = greatest(give_up_at, $5)
         WHERE aggregate_id = $1 AND template = $3 AND channel = $4 AND state = 'queued' AND attempts = 0",
    )
    .bind(aggregate_id)
    .bind(about)
    .bind(template.as_str())
    .bind(channel.as_str())
    .bind(give_up_at)
    .execute(conn)
    .await?;
    Ok(joined.rows_affected() > 0)
}

/// Whether there is a message about the same parts of an aggregate.
///
/// # Errors
/// [`StoreError`].
pub async fn exists(
    conn: &mut PgConnection,
    aggregate_id: Uuid,
    about: &[Uuid],
    template: Template,
) -> Result<bool, StoreError> {
    let found =
        "SELECT EXISTS (SELECT FROM message WHERE aggregate_id = $1 AND about_ids = $2 AND template = $3)";
    Ok(sqlx::query_scalar(found)
        .bind(aggregate_id)
        .bind(about)
        .bind(template.as_str())
        .fetch_one(conn)
        .await?)
}

/// Takes at most `limit` due messages of a lane, the longest due first, and counts the attempt. Until `until` no other process takes
/// them; afterwards this one is thought dead.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(
    conn: &mut PgConnection,
    lane: Lane,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<MessageRow> = sqlx::query_as(
        "UPDATE message SET attempts = attempts + 1, next_attempt_at = $2
         WHERE message_id IN (
             SELECT message_id FROM message WHERE state = 'queued' AND lane = $4 AND next_attempt_at <= $1
             ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED
         )
         RETURNING *",
    )
    .bind(now)
    .bind(until)
    .bind(limit)
    .bind(lane.as_str())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(MessageRow::read).collect()
}

/// Writes what became of the attempt that the message counts. False when another process has taken the message over.
///
/// # Errors
/// [`StoreError`].
pub async fn save(conn: &mut PgConnection, message: &Message) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE message SET template = $3, state = $4, next_attempt_at = $5, failure_code = $6, ended_at = $7
         WHERE message_id = $1 AND attempts = $2 AND state = 'queued'",
    )
    .bind(message.id)
    .bind(message.attempts)
    .bind(message.template.as_str())
    .bind(message.state.as_str())
    .bind(message.next_attempt_at)
    .bind(message.state.failure_code())
    .bind(message.state.ended_at())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// When the next queued message of each lane is due; a lane without any is left out.
///
/// # Errors
/// [`StoreError`].
pub async fn next_due(conn: &mut PgConnection) -> Result<Vec<(String, DateTime<Utc>)>, StoreError> {
    let due = "SELECT lane, min(next_attempt_at) FROM message WHERE state = 'queued' GROUP BY lane";
    Ok(sqlx::query_as(due).fetch_all(conn).await?)
}

/// Messages about one aggregate, newest first, older than `before`.
///
/// # Errors
/// [`StoreError`].
pub async fn list(
    conn: &mut PgConnection,
    aggregate_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<MessageRow> = sqlx::query_as(
        "SELECT * FROM message WHERE aggregate_id = $1 AND ($2::uuid IS NULL OR message_id < $2)
         ORDER BY message_id DESC LIMIT $3",
    )
    .bind(aggregate_id)
    .bind(before)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(MessageRow::read).collect()
}
