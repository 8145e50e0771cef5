//! librdkafka's mock cluster with one topic, a plain reader of all it holds, and a plain producer.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{DefaultProducerContext, FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use uuid::Uuid;

use crate::harness::fresh_name;

const PARTITIONS: i32 = 4;
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Broker {
    pub(crate) cluster: MockCluster<'static, DefaultProducerContext>,
    pub(crate) topic: &'static str,
    producer: FutureProducer,
}

/// A record as a plain consumer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) partition: i32,
    pub(crate) key: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) payload: Vec<u8>,
}

impl Seen {
    pub(crate) fn sequence(&self) -> i64 {
        self.headers["ce_sequence"].parse().unwrap()
    }
}

impl Broker {
    pub(crate) fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        let topic = fresh_name();
        cluster.create_topic(topic, PARTITIONS, 1).unwrap();
        let producer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("linger.ms", "0")
            .create()
            .unwrap();
        Self {
            cluster,
            topic,
            producer,
        }
    }

    pub(crate) fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Everything the topic holds now, each partition in its order.
    pub(crate) fn records(&self) -> Vec<Seen> {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", self.brokers());
        records(&client, self.topic, PARTITIONS)
    }

    pub(crate) async fn produce(&self, key: Uuid, headers: &[(&str, &str)], payload: &[u8]) {
        let headers = headers.iter().fold(OwnedHeaders::new(), |all, &(key, value)| {
            all.insert(Header {
                key,
                value: Some(value),
            })
        });
        let key = key.to_string();
        let record = FutureRecord::to(self.topic)
            .key(&key)
            .payload(payload)
            .headers(headers);
        self.producer.send(record, PATIENCE).await.unwrap();
    }

    /// A well-formed record of a test event.
    pub(crate) async fn produce_event(&self, event_id: Uuid, aggregate_id: Uuid, sequence: i64) {
        self.produce(
            aggregate_id,
            &[
                ("ce_specversion", "1.0"),
                ("ce_id", &event_id.to_string()),
                ("ce_source", "wathiq/test"),
                ("ce_type", "wathiq.test.v1.Happened"),
                ("ce_time", "2026-11-22T10:00:00.000000Z"),
                ("ce_subject", &aggregate_id.to_string()),
                ("ce_sequence", &sequence.to_string()),
                ("content-type", "application/protobuf"),
            ],
            b"x",
        )
        .await;
    }
}

pub(crate) fn records(client: &ClientConfig, topic: &str, partitions: i32) -> Vec<Seen> {
    let consumer: BaseConsumer = client.clone().set("group.id", "test.reader").create().unwrap();
    let mut assignment = TopicPartitionList::new();
    let mut total = 0;
    for partition in 0..partitions {
        let (_, high) = consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap();
        total += usize::try_from(high).unwrap();
        assignment
            .add_partition_offset(topic, partition, Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&assignment).unwrap();
    let mut seen = Vec::with_capacity(total);
    let deadline = Instant::now() + PATIENCE;
    while seen.len() < total {
        assert!(
            Instant::now() < deadline,
            "read {} of {total} records",
            seen.len()
        );
        let Some(message) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        seen.push(read(&message.unwrap()));
    }
    seen
}

fn read(message: &impl Message) -> Seen {
    let headers = message.headers().unwrap();
    Seen {
        partition: message.partition(),
        key: String::from_utf8(message.key().unwrap().to_vec()).unwrap(),
        headers: headers
            .iter()
            .map(|header| {
                (
                    header.key.to_owned(),
                    String::from_utf8(header.value.unwrap().to_vec()).unwrap(),
                )
            })
            .collect(),
        payload: message.payload().unwrap().to_vec(),
    }
}

/// Sequences by key, in order of arrival.
pub(crate) fn sequences(records: &[Seen]) -> HashMap<&str, Vec<i64>> {
    let mut all: HashMap<&str, Vec<i64>> = HashMap::new();
    for record in records {
        all.entry(&record.key).or_default().push(record.sequence());
    }
    all
}

/// Sequences by key, each where it is seen for the first time: what a consumer with an inbox acts on.
pub(crate) fn first_sequences(records: &[Seen]) -> HashMap<&str, Vec<i64>> {
    let mut all = sequences(records);
    for sequences in all.values_mut() {
        let mut seen = std::collections::HashSet::new();
        sequences.retain(|&sequence| seen.insert(sequence));
    }
    all
}
