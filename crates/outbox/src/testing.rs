//! For the tests of services: the outbox read back, records delivered without Kafka, and links to a broker
//! without TLS (librdkafka's mock cluster speaks none).
//!
//! Everything here panics where a test should stop.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;
use wathiq_chassis::Ambient;

use crate::kafka::Link;
use crate::{BoxError, Consumer, Handler, Record, Relay, apply};

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StoredEvent {
    pub id: i64,
    pub event_id: Uuid,
    pub topic: String,
    pub event_type: String,
    pub aggregate_id: Uuid,
    pub sequence: i64,
    pub payload: Vec<u8>,
    pub traceparent: Option<String>,
    pub occurred_at: DateTime<Utc>,
    pub published_at: Option<DateTime<Utc>>,
}

impl StoredEvent {
    /// The payload as `M`; panics when the event is of another type.
    pub fn decode<M: prost::Message + prost::Name + Default>(&self) -> M {
        assert_eq!(self.event_type, M::full_name(), "type of event {}", self.event_id);
        M::decode(&self.payload[..]).expect("the payload decodes as the type it names")
    }

    /// As a consumer would receive it.
    pub fn record(&self) -> Record {
        Record {
            event_id: self.event_id,
            event_type: self.event_type.clone(),
            aggregate_id: self.aggregate_id,
            sequence: self.sequence,
            topic: self.topic.clone(),
            payload: self.payload.clone(),
            traceparent: self.traceparent.clone(),
            time: self.occurred_at,
        }
    }
}

/// What became of a delivered record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    Effect,
    Duplicate,
    Parked,
}

/// All events of the outbox, published or not, in order.
pub async fn events(conn: &mut PgConnection) -> Vec<StoredEvent> {
    sqlx::query_as(
        "SELECT id, event_id, topic, event_type, aggregate_id, sequence, payload, traceparent,
                occurred_at, published_at
         FROM outbox ORDER BY id",
    )
    .fetch_all(conn)
    .await
    .expect("the outbox can be read")
}

/// Stands in for the relay: marks what is unpublished and returns it, in order.
pub async fn drain(conn: &mut PgConnection) -> Vec<StoredEvent> {
    let mut rows: Vec<StoredEvent> = sqlx::query_as(
        "UPDATE outbox SET published_at = now() WHERE published_at IS NULL
         RETURNING id, event_id, topic, event_type, aggregate_id, sequence, payload, traceparent,
                   occurred_at, published_at",
    )
    .fetch_all(conn)
    .await
    .expect("the outbox can be marked");
    rows.sort_by_key(|row| row.id);
    rows
}

/// Panics when unpublished rows remain, naming them.
pub async fn assert_drained(conn: &mut PgConnection) {
    let left: Vec<String> = events(conn)
        .await
        .into_iter()
        .filter(|event| event.published_at.is_none())
        .map(|event| {
            format!(
                "{} {} of {}",
                event.event_type, event.sequence, event.aggregate_id
            )
        })
        .collect();
    assert!(left.is_empty(), "unpublished outbox rows remain: {left:#?}");
}

/// Delivers the record as the consumer loop does: parked aggregates, inbox and effect in one transaction.
///
/// # Errors
/// Those of the infrastructure, after which the loop would try again.
pub async fn deliver<H: Handler>(
    pool: &PgPool,
    consumer: &str,
    handler: &H,
    record: &Record,
) -> Result<Delivered, BoxError> {
    Ok(match apply::apply(pool, consumer, handler, record).await? {
        apply::Applied::Effect => Delivered::Effect,
        apply::Applied::Duplicate => Delivered::Duplicate,
        apply::Applied::Parked => Delivered::Parked,
    })
}

/// A relay to a broker without TLS.
pub fn plaintext_relay(
    database: PgConnectOptions,
    brokers: &str,
    source: &'static str,
    ambient: Ambient,
) -> Relay {
    Relay::over(database, Link::plaintext(brokers), source, ambient)
}

/// A consumer of a broker without TLS.
pub fn plaintext_consumer(
    name: &'static str,
    instance: String,
    topics: &[&str],
    pool: PgPool,
    brokers: &str,
) -> Consumer {
    Consumer::over(name, instance, topics, pool, Link::plaintext(brokers))
}

/// The same consumer, which makes its Kafka client anew after every infrastructure error instead of after a
/// minute of them.
pub fn without_patience(mut consumer: Consumer) -> Consumer {
    consumer.patience = Duration::ZERO;
    consumer
}
