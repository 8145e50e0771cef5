//! The Kafka side of a consumer: a static member of its group that stores an offset only when told.

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;

use crate::kafka::{Link, Observer};
use crate::message::{Malformed, Record, parse};

#[derive(Debug, thiserror::Error)]
pub(super) enum FeedError {
    #[error("joining the consumer group failed")]
    Open(#[source] KafkaError),
    #[error("receiving from kafka failed")]
    Receive(#[source] KafkaError),
    #[error("storing the offset failed")]
    Store(#[source] KafkaError),
    #[error("the infrastructure a record needs did not come back in time")]
    Stalled,
}

pub(super) struct Place {
    topic: String,
    partition: i32,
    offset: i64,
}

/// A record, or why it is none, and where it stands.
pub(super) type Received = (Place, Result<Record, Malformed>);

pub(super) struct Feed {
    consumer: StreamConsumer<Observer>,
}

impl Feed {
    pub(super) fn open(
        link: &Link,
        group: &str,
        instance: &str,
        topics: &[String],
    ) -> Result<Self, FeedError> {
        let mut client = link.client();
        client
            .set("group.id", group)
            .set("group.instance.id", instance)
            .set("auto.offset.reset", "earliest")
            // Offsets are stored here after the effect is committed; librdkafka sends the stored ones each
            // second, before a partition is given away, and at the close. What a crash loses is repeated and
            // known to the inbox.
            .set("enable.auto.offset.store", "false")
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "1000")
            .set("session.timeout.ms", "15000")
            .set("max.poll.interval.ms", "300000")
            .set("allow.auto.create.topics", "false")
            .set("topic.metadata.refresh.interval.ms", "10000")
            .set("statistics.interval.ms", "5000")
            .set("queued.max.messages.kbytes", "4096")
            .set("fetch.message.max.bytes", "1048576");
        let consumer: StreamConsumer<Observer> = StreamConsumer::from_config_and_context(
            &client,
            Observer {
                owner: group.to_owned(),
            },
        )
        .map_err(FeedError::Open)?;
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(FeedError::Open)?;
        Ok(Self { consumer })
    }

    /// Dropping the future loses no record.
    pub(super) async fn next(&self) -> Result<Received, FeedError> {
        let message = self.consumer.recv().await.map_err(FeedError::Receive)?;
        let place = Place {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
        };
        Ok((place, parse(&message)))
    }

    /// A partition taken away meanwhile is nobody's fault: its new owner gets the record again, and the inbox
    /// knows it.
    pub(super) fn done(&self, place: &Place) -> Result<(), FeedError> {
        match self
            .consumer
            .store_offset(&place.topic, place.partition, place.offset)
        {
            Err(KafkaError::StoreOffset(rdkafka::error::RDKafkaErrorCode::State)) => Ok(()),
            stored => stored.map_err(FeedError::Store),
        }
    }

    /// Sends the stored offsets. A static member does not leave its group by closing.
    pub(super) async fn close(self) {
        if tokio::task::spawn_blocking(move || drop(self.consumer))
            .await
            .is_err()
        {
            tracing::warn!(event = "consumer.lost", "the kafka consumer ended in a panic");
        }
    }
}
