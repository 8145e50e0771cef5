//! Rows to Kafka records, in waves in which no aggregate occurs twice.

use std::collections::HashMap;
use std::future::Future;

use futures::future::join_all;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer, PurgeConfig};
use uuid::Uuid;

use super::database::Row;
use crate::kafka::{Fingerprint, Link, Observer};
use crate::message::{Envelope, headers};

#[derive(Debug, thiserror::Error)]
pub(super) enum DeliveryError {
    #[error("making a producer failed")]
    Producer(#[source] KafkaError),
    #[error("event {event_id} was not accepted by topic {topic}")]
    Refused {
        event_id: Uuid,
        topic: String,
        source: KafkaError,
    },
    #[error("event {event_id} was dropped by the producer")]
    Dropped { event_id: Uuid },
}

/// How far a batch got.
pub(super) struct Sent {
    /// Ids of the rows that Kafka has.
    pub(super) acknowledged: Vec<i64>,
    pub(super) failure: Option<DeliveryError>,
}

pub(super) struct Sender {
    link: Link,
    source: &'static str,
    current: Option<(FutureProducer<Observer>, Fingerprint)>,
}

impl Sender {
    pub(super) fn new(link: Link, source: &'static str) -> Self {
        Self {
            link,
            source,
            current: None,
        }
    }

    pub(super) async fn send(&mut self, rows: &[Row]) -> Sent {
        let sent = self.try_send(rows).await;
        if sent.failure.is_some() {
            self.discard().await;
        }
        sent
    }

    /// Purges what is queued and under way. The next batch gets a new producer, with a new producer id: what
    /// the old one still has on the wire can arrive as a repeat, never in the place of something later.
    pub(super) async fn discard(&mut self) {
        let Some((producer, _)) = self.current.take() else {
            return;
        };
        producer.purge(PurgeConfig::default().queue().inflight());
        // Dropping joins the producer's thread. The result only says whether that thread panicked.
        if tokio::task::spawn_blocking(move || drop(producer)).await.is_err() {
            tracing::warn!(
                event = "outbox.producer_lost",
                "the kafka producer ended in a panic"
            );
        }
    }

    async fn try_send(&mut self, rows: &[Row]) -> Sent {
        let mut sent = Sent {
            acknowledged: Vec::with_capacity(rows.len()),
            failure: None,
        };
        for wave in waves(rows) {
            let producer = match self.producer().await {
                Ok(producer) => producer,
                Err(error) => {
                    sent.failure = Some(DeliveryError::Producer(error));
                    return sent;
                }
            };
            // Making the futures enqueues the records in id order; only their acknowledgements are awaited
            // together.
            let deliveries: Vec<_> = wave
                .iter()
                .map(|row| deliver(&producer, row, self.source))
                .collect();
            for (row, outcome) in wave.iter().zip(join_all(deliveries).await) {
                match outcome {
                    Ok(()) => sent.acknowledged.push(row.id),
                    Err(failure) => sent.failure = sent.failure.or(Some(failure)),
                }
            }
            if sent.failure.is_some() {
                return sent;
            }
        }
        sent
    }

    async fn producer(&mut self) -> Result<FutureProducer<Observer>, KafkaError> {
        let fingerprint = self.link.fingerprint();
        if self
            .current
            .as_ref()
            .is_some_and(|(_, made_with)| *made_with != fingerprint)
        {
            tracing::info!(
                event = "kafka.certificate_changed",
                source = self.source,
                "the producer is made anew"
            );
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

/// The first event of each aggregate, then the second of each, and so on. Were two events of one aggregate
/// under way together, the first could fail while the second is accepted, and its repetition would then come
/// too late.
fn waves(rows: &[Row]) -> Vec<Vec<&Row>> {
    let mut seen: HashMap<Uuid, usize> = HashMap::with_capacity(rows.len());
    let mut waves: Vec<Vec<&Row>> = Vec::new();
    for row in rows {
        let turn = seen.entry(row.aggregate_id).or_default();
        if *turn == waves.len() {
            waves.push(Vec::new());
        }
        waves[*turn].push(row);
        *turn += 1;
    }
    waves
}

/// Enqueues at once; the future is the acknowledgement.
fn deliver<'a>(
    producer: &FutureProducer<Observer>,
    row: &'a Row,
    source: &str,
) -> impl Future<Output = Result<(), DeliveryError>> + use<'a> {
    let key = row.aggregate_id.to_string();
    let envelope = Envelope {
        event_id: row.event_id,
        event_type: &row.event_type,
        source,
        aggregate_id: row.aggregate_id,
        sequence: row.sequence,
        time: row.occurred_at,
        traceparent: row.traceparent.as_deref(),
    };
    let record = FutureRecord::to(&row.topic)
        .key(&key)
        .payload(&row.payload)
        .headers(headers(&envelope));
    let enqueued = producer.send_result(record).map_err(|(error, _)| error);
    async move {
        let refused = |source| DeliveryError::Refused {
            event_id: row.event_id,
            topic: row.topic.clone(),
            source,
        };
        match enqueued.map_err(refused)?.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err((source, _))) => Err(refused(source)),
            Err(_) => Err(DeliveryError::Dropped {
                event_id: row.event_id,
            }),
        }
    }
}

/// Murmur2 as the JVM clients use it, so that a producer of another make would choose the same partitions.
fn make(link: &Link, source: &str) -> Result<FutureProducer<Observer>, KafkaError> {
    let mut client = link.client();
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "1")
        .set("message.timeout.ms", link.deliver_within.as_millis().to_string())
        .set(
            "request.timeout.ms",
            (link.deliver_within / 2).as_millis().to_string(),
        )
        .set("queue.buffering.max.kbytes", "16384");
    FutureProducer::from_config_and_context(
        &client,
        Observer {
            owner: source.to_owned(),
        },
    )
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn row(id: i64, aggregate: u128) -> Row {
        Row {
            id,
            event_id: Uuid::from_u128(1),
            topic: "t".to_owned(),
            event_type: "e".to_owned(),
            aggregate_id: Uuid::from_u128(aggregate),
            sequence: 1,
            payload: Vec::new(),
            traceparent: None,
            occurred_at: DateTime::UNIX_EPOCH,
        }
    }

    fn check(aggregates: &[u128], expected: &[&[i64]]) {
        let rows: Vec<Row> = aggregates
            .iter()
            .zip(1..)
            .map(|(&aggregate, id)| row(id, aggregate))
            .collect();
        let waves = waves(&rows);
        let ids: Vec<Vec<i64>> = waves
            .iter()
            .map(|wave| wave.iter().map(|row| row.id).collect())
            .collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn an_aggregate_comes_once_in_a_wave_and_in_order() {
        check(&[], &[]);
        check(&[1, 2, 3], &[&[1, 2, 3]]);
        check(&[1, 2, 1, 3, 2, 1], &[&[1, 2, 4], &[3, 5], &[6]]);
        check(&[1, 1, 1], &[&[1], &[2], &[3]]);
    }
}
