//! Every record on Kafka, read back by a plain consumer as the auditor and decoded by the published descriptors alone.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use data_encoding::BASE64;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::{Map, Value, json};

use crate::description::Kafka;
use crate::topics::Topic;

const BOUND: Duration = Duration::from_secs(30);

/// Reads every topic from its beginning to what is its end now. One value a record: `topic`, `partition`, `offset`,
/// `key`, `headers` and `value`, which is the protobuf message as JSON.
///
/// Blocks the thread: the consumer has no other way.
///
/// # Errors
/// When Kafka does not answer in time, or a record cannot be decoded by its `ce_type` header.
pub fn read_all(kafka: &Kafka, topics: &[Topic]) -> Result<Vec<Value>> {
    let consumer = auditor(kafka)?;
    let pool = DescriptorPool::decode(wathiq_proto::FILE_DESCRIPTOR_SET)?;
    let mut wanted = TopicPartitionList::new();
    let mut missing: i64 = 0;
    for topic in topics {
        for partition in 0..topic.partitions {
            let (first, end) = consumer.fetch_watermarks(&topic.name, partition, BOUND)?;
            if end > first {
                wanted.add_partition_offset(&topic.name, partition, Offset::Offset(first))?;
                missing += end - first;
            }
        }
    }
    consumer.assign(&wanted)?;
    let start = Instant::now();
    let mut records = Vec::new();
    while missing > 0 {
        if start.elapsed() > BOUND {
            bail!(
                "{missing} records could not be read back from Kafka in {} s",
                BOUND.as_secs()
            );
        }
        if let Some(message) = consumer.poll(Duration::from_millis(200)) {
            records.push(decode(&message?, &pool)?);
            missing -= 1;
        }
    }
    Ok(records)
}

fn auditor(kafka: &Kafka) -> Result<BaseConsumer> {
    let file = |name: &str| kafka.certificates.join(name).display().to_string();
    Ok(ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .set("security.protocol", "ssl")
        .set("ssl.ca.location", file("ca.pem"))
        .set("ssl.certificate.location", file("auditor.pem"))
        .set("ssl.key.location", file("auditor.key"))
        .set("group.id", "auditor-reader")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .create()?)
}

fn decode(message: &impl Message, pool: &DescriptorPool) -> Result<Value> {
    let place = format!("{}/{}/{}", message.topic(), message.partition(), message.offset());
    let mut headers = Map::new();
    for header in message.headers().into_iter().flat_map(Headers::iter) {
        let value = header.value.unwrap_or_default();
        let text = std::str::from_utf8(value).map_or_else(|_| BASE64.encode(value), str::to_owned);
        headers.insert(header.key.to_owned(), Value::String(text));
    }
    let kind = headers
        .get("ce_type")
        .and_then(Value::as_str)
        .with_context(|| format!("{place} has no ce_type"))?;
    let descriptor = pool
        .get_message_by_name(kind)
        .with_context(|| format!("{place}: no contract describes {kind}"))?;
    let payload = DynamicMessage::decode(descriptor, message.payload().unwrap_or_default())
        .with_context(|| format!("{place} is not a {kind}"))?;
    let options = SerializeOptions::new().skip_default_fields(false);
    Ok(json!({
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "key": message.key().map(|key| String::from_utf8_lossy(key).into_owned()),
        "headers": headers,
        "value": payload.serialize_with_options(serde_json::value::Serializer, &options)?,
    }))
}
