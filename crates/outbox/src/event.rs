//! Facts on their way out: a row of `outbox`, written in the transaction that makes the fact true.

use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;

/// The channel on which the relay is woken.
pub(crate) const CHANNEL: &str = "wathiq_outbox";

/// Largest payload in bytes; half of Kafka's default record limit, so that no row can block the relay for
/// ever.
const MAX_PAYLOAD: usize = 512 * 1024;

/// A fact to be published.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub topic: &'static str,
    /// Full protobuf name, such as `wathiq.signature.v1.LegalisationRequestSubmitted`.
    pub event_type: String,
    /// Key of the Kafka record; the aggregate's own id, never a person's.
    pub aggregate_id: Uuid,
    /// Version of the aggregate that this event brought about; one event a version.
    pub sequence: i64,
    /// Protobuf encoding.
    pub payload: Vec<u8>,
}

impl NewEvent {
    pub fn of<M: prost::Message + prost::Name>(
        topic: &'static str,
        aggregate_id: Uuid,
        sequence: i64,
        message: &M,
    ) -> Self {
        Self {
            topic,
            event_type: M::full_name(),
            aggregate_id,
            sequence,
            payload: message.encode_to_vec(),
        }
    }
}

/// Why an event was not appended.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    #[error("event {event_type} of {size} bytes is larger than {MAX_PAYLOAD} bytes")]
    TooLarge { event_type: String, size: usize },
    #[error("topic {topic} already has an event {sequence} of aggregate {aggregate_id}")]
    SequenceTaken {
        topic: &'static str,
        aggregate_id: Uuid,
        sequence: i64,
    },
    #[error("appending to the outbox failed")]
    Database(#[from] sqlx::Error),
}

/// Appends the event in the caller's transaction and returns its id. The caller holds the lock of the
/// aggregate's row, so that ids of one aggregate follow its versions. The relay is woken when the transaction
/// commits.
///
/// # Errors
/// [`OutboxError::SequenceTaken`] when the aggregate already has an event of this version (a lost race: roll
/// back).
pub async fn append(
    conn: &mut PgConnection,
    ambient: &Ambient,
    event: NewEvent,
) -> Result<Uuid, OutboxError> {
    if event.payload.len() > MAX_PAYLOAD {
        return Err(OutboxError::TooLarge {
            event_type: event.event_type,
            size: event.payload.len(),
        });
    }
    let event_id = ambient.uuid_v7();
    sqlx::query(
        "WITH appended AS (
             INSERT INTO outbox (event_id, topic, event_type, aggregate_id, sequence, payload,
                                 traceparent, occurred_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             RETURNING id
         )
         SELECT pg_notify($9, '') FROM appended",
    )
    .bind(event_id)
    .bind(event.topic)
    .bind(&event.event_type)
    .bind(event.aggregate_id)
    .bind(event.sequence)
    .bind(&event.payload)
    .bind(wathiq_chassis::telemetry::traceparent())
    .bind(ambient.now())
    .bind(CHANNEL)
    .execute(conn)
    .await
    .map_err(|error| append_error(error, &event))?;
    Ok(event_id)
}

fn append_error(error: sqlx::Error, event: &NewEvent) -> OutboxError {
    match error
        .as_database_error()
        .and_then(|database| database.constraint())
    {
        Some("outbox_topic_aggregate_id_sequence_key") => OutboxError::SequenceTaken {
            topic: event.topic,
            aggregate_id: event.aggregate_id,
            sequence: event.sequence,
        },
        _ => OutboxError::Database(error),
    }
}
