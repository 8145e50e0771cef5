//! Rows to Kafka records, in waves in which no aggregate occurs twice.

use std::collections::HashSet;

use futures::future::join_all;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer, PurgeConfig};
use uuid::Uuid;

use super::database::Row;
use crate::kafka::{Fingerprint, Link, Observer};
use crate::message::{Envelope, headers};

/// After this time without an acknowledgement librdkafka reports the record as failed.
const DELIVER_WITHIN_MS: &str = "10000";

#[derive(Debug, thiserror::Error)]
pub(super) enum DeliveryError {
    #[error("making a producer failed")]
    Producer(#[source] KafkaError),
    #[error("event {event_id} was not accepted by topic {topic}")]
    Refused { event_id: Uuid, topic: String, source: KafkaError },
    #[error("event {event_id} was dropped by the producer")]
    Dropped { event_id: Uuid },
}

/// How far a batch got.
pub(super) struct Sent {
    /// Length of the acknowledged prefix.
    pub(super) acknowledged: usize,
    pub(super) failure: Option<DeliveryError>,
}

pub(super) struct Sender {
    link: Link,
    source: &'static str,
    current: Option<(FutureProducer<Observer>, Fingerprint)>,
}

impl Sender {
    pub(super) fn new(link: Link, source: &'static str) -> Self {
        Self { link, source, current: None }
    }

    pub(super) async fn send(&mut self, rows: &[Row]) -> Sent {
        let sent = self.try_send(rows).await;
        if sent.failure.is_some() {
            self.discard().await;
        }
        sent
    }

    /// Purges what is queued and under way. The next batch gets a new producer, with a new producer id: what the old one
    /// still has on the wire can arrive as a repeat, never in the place of something later.
    pub(super) async fn discard(&mut self) {
        let Some((producer, _)) = self.current.take() else { return };
        producer.purge(PurgeConfig::default().queue().inflight());
        // Dropping joins the producer's thread. The result only says whether that thread panicked.
        if tokio::task::spawn_blocking(move || drop(producer)).await.is_err() {
            tracing::warn!(event = "outbox_producer_lost", "the kafka producer ended in a panic");
        }
    }

    async fn try_send(&mut self, rows: &[Row]) -> Sent {
        let mut acknowledged = 0;
        while acknowledged < rows.len() {
            let wave = wave(&rows[acknowledged..]);
            let producer = match self.producer().await {
                Ok(producer) => producer,
                Err(error) => return Sent { acknowledged, failure: Some(DeliveryError::Producer(error)) },
            };
            let deliveries = wave.iter().map(|row| deliver(producer, row, self.source));
            // Creating the futures enqueues in id order; only the acknowledgements are awaited together.
            let outcomes = join_all(deliveries.collect::<Vec<_>>()).await;
            for outcome in outcomes {
                if let Err(failure) = outcome {
                    return Sent { acknowledged, failure: Some(failure) };
                }
                acknowledged += 1;
            }
        }
        Sent { acknowledged, failure: None }
    }

    async fn producer(&mut self) -> Result<FutureProducer<Observer>, KafkaError> {
        let fingerprint = self.link.fingerprint();
        if self.current.as_ref().is_some_and(|(_, made_with)| *made_with != fingerprint) {
            tracing::info!(event = "kafka_certificate_changed", source = self.source, "the producer is made anew");
            self.discard().await;
        }
        if let Some((producer, _)) = &self.current {
            return Ok(producer.clone());
        }
        let producer = make(&self.link, self.source)?;
        self.current = Some((producer.clone(), fingerprint));
        Ok(producer)
    }
}
