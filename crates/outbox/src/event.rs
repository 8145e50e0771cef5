//! Facts on their way out: a row of `outbox`, written in the transaction that makes the fact true.

use sqlx::PgConnection;
use sqlx::postgres::PgDatabaseError;
use uuid::Uuid;
use wathiq_chassis::Ambient;

use crate::columns::each;

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
    /// W3C trace context of what made the fact true.
    pub traceparent: Option<String>,
}

impl NewEvent {
    /// The event, in the trace that is current where it is made.
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
            traceparent: wathiq_chassis::telemetry::traceparent(),
        }
    }
}

/// Why an event was not appended.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    #[error("event {event_type} of {size} bytes is larger than {MAX_PAYLOAD} bytes")]
    TooLarge { event_type: String, size: usize },
    /// The topic has an event of this version of the aggregate; the server names them.
    #[error("an event of this version is there already: {detail}")]
    SequenceTaken { detail: String },
    #[error("appending to the outbox failed")]
    Database(#[from] sqlx::Error),
}

/// Appends the event in the caller's transaction. The caller holds the lock of the aggregate's row, so that ids of one aggregate follow its
/// versions. The relay is woken when the transaction commits.
///
/// # Errors
/// [`OutboxError::SequenceTaken`] when the aggregate already has an event of this version (a lost race: roll
/// back).
pub async fn append(conn: &mut PgConnection, ambient: &Ambient, event: NewEvent) -> Result<(), OutboxError> {
    append_all(conn, ambient, &[event]).await
}

/// As [`append`], of several events in their order, by one statement.
///
/// # Errors
/// As [`append`]; none is appended then.
pub async fn append_all(
    conn: &mut PgConnection,
    ambient: &Ambient,
    events: &[NewEvent],
) -> Result<(), OutboxError> {
    if let Some(event) = events.iter().find(|event| event.payload.len() > MAX_PAYLOAD) {
        return Err(OutboxError::TooLarge {
            event_type: event.event_type.clone(),
            size: event.payload.len(),
        });
    }
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = events.iter().map(|_| ambient.uuid_v7()).collect();
    sqlx::query(
        "WITH appended AS (
             INSERT INTO outbox (event_id, topic, event_type, aggregate_id, sequence, payload,
                                 traceparent, occurred_at)
             SELECT event_id, topic, event_type, aggregate_id, sequence, payload, traceparent, $8
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bytea[], $7::text[])
                  WITH ORDINALITY AS new (event_id, topic, event_type, aggregate_id, sequence, payload,
                                          traceparent, place)
             ORDER BY place
             RETURNING id
         )
         SELECT pg_notify($9, '') FROM appended LIMIT 1",
    )
    .bind(ids)
    .bind(each(events, |event| event.topic))
    .bind(each(events, |event| event.event_type.as_str()))
    .bind(each(events, |event| event.aggregate_id))
    .bind(each(events, |event| event.sequence))
    .bind(each(events, |event| event.payload.as_slice()))
    .bind(each(events, |event| event.traceparent.as_deref()))
    .bind(ambient.now())
    .bind(CHANNEL)
    .execute(conn)
    .await
    .map_err(append_error)?;
    Ok(())
}

fn append_error(error: sqlx::Error) -> OutboxError {
    let database = error.as_database_error();
    if database.and_then(|database| database.constraint()) != Some("outbox_topic_aggregate_id_sequence_key") {
        return OutboxError::Database(error);
    }
    let refusal = database.and_then(|database| database.try_downcast_ref::<PgDatabaseError>());
    OutboxError::SequenceTaken {
        detail: refusal
            .and_then(PgDatabaseError::detail)
            .unwrap_or_default()
            .to_owned(),
    }
}
