//! Brings the facts of other services in: one record after the other, its effect and its inbox row in one
//! transaction, then the offset. Records that come within a moment share a transaction; when one of them is in
//! the way of the others, each gets its own.
//!
//! An infrastructure that does not answer is waited for; a record at fault parks its aggregate and the others
//! go on.

mod feed;
mod replay;

use std::future::Future;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::{PgConnection, PgPool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use wathiq_chassis::BoxError;

use crate::KafkaConfig;
use crate::apply::{Applied, apply, apply_together, park};
use crate::backoff::Backoff;
use crate::error::chain;
use crate::kafka::Link;
use crate::message::{Malformed, Record};
use feed::{Feed, FeedError, Received};

/// How often released records and changed certificates are looked for.
const TICK: Duration = Duration::from_secs(1);
/// How long records are tried before the client is made anew: a group cannot rebalance while a member does
/// not poll.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long records may gather after the first, and for how long after others: many of them cost the database hardly more than one, and
/// where few come nobody waits.
const GATHER: Duration = Duration::from_millis(20);
const PACE: Duration = Duration::from_millis(100);
/// Records of a transaction, at most: their locks last until it commits.
const TOGETHER: usize = 32;

/// What a service does with a record.
pub trait Handler: Send + Sync {
    /// Applies the record within the transaction of `conn`, which commits together with the inbox row. No
    /// effect outside the database may happen here without being written down first.
    ///
    /// A record of a type the service does not care about is `Ok`.
    fn handle(
        &self,
        conn: &mut PgConnection,
        record: &Record,
    ) -> impl Future<Output = Result<(), HandleError>> + Send;

    /// Applies records that share a transaction, as if one after the other. Where one of them is at fault, nothing of this is committed and
    /// each is handled by itself.
    fn handle_all(
        &self,
        conn: &mut PgConnection,
        deliveries: &[Delivery<'_>],
    ) -> impl Future<Output = Result<(), HandleError>> + Send {
        async move {
            for Delivery { record, span } in deliveries {
                self.handle(conn, record).instrument(span.clone()).await?;
            }
            Ok(())
        }
    }
}

/// A record among others.
#[derive(Debug)]
pub struct Delivery<'a> {
    pub record: &'a Record,
    /// Continues the trace of the transaction in which the event happened: what the record causes belongs in it.
    pub span: tracing::Span,
}

/// Why a record was not applied.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// Something needed does not answer: tried again for ever, with growing pauses; never held against the
    /// record.
    #[error("infrastructure needed for the record failed")]
    Infrastructure(#[source] BoxError),
    /// The record itself cannot be applied: it and later records of its aggregate are parked.
    #[error("the record cannot be applied")]
    Unappliable(#[source] BoxError),
}

impl HandleError {
    pub fn infrastructure(error: impl Into<BoxError>) -> Self {
        Self::Infrastructure(error.into())
    }

    pub fn unappliable(error: impl Into<BoxError>) -> Self {
        Self::Unappliable(error.into())
    }
}

/// Values the schema refuses (SQLSTATE classes 22, data exception, and 23, integrity constraint violation)
/// come from the record; all else from the infrastructure.
impl From<sqlx::Error> for HandleError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(DatabaseError::code);
        if code.is_some_and(|code| code.starts_with("22") || code.starts_with("23")) {
            Self::unappliable(error)
        } else {
            Self::infrastructure(error)
        }
    }
}

/// The consumer loop of one service; see the module.
pub struct Consumer {
    name: &'static str,
    instance: String,
    topics: Vec<String>,
    pool: PgPool,
    link: Link,
    pub(crate) patience: Duration,
}

/// What became of the attempts at one record.
enum Settled {
    /// Applied, known or parked.
    Done,
    Shutdown,
    /// The infrastructure did not come back in time; the record will be delivered again.
    Stalled,
}

impl Consumer {
    /// `name` is the consumer group and the name in the inbox; `instance` is unique and lasting among the
    /// replicas (`group.instance.id`: after a crash the same instance goes on at once).
    pub fn new(
        name: &'static str,
        instance: String,
        topics: &[&str],
        pool: PgPool,
        kafka: KafkaConfig,
    ) -> Self {
        Self::over(name, instance, topics, pool, Link::tls(&kafka))
    }

    pub(crate) fn over(
        name: &'static str,
        instance: String,
        topics: &[&str],
        pool: PgPool,
        link: Link,
    ) -> Self {
        let topics = topics.iter().map(|&topic| topic.to_owned()).collect();
        Self {
            name,
            instance,
            topics,
            pool,
            link,
            patience: PATIENCE,
        }
    }

    /// Works until the shutdown, whatever fails meanwhile. A record under way is finished first.
    pub async fn run<H: Handler>(self, handler: H, shutdown: CancellationToken) {
        let mut backoff = Backoff::new();
        while !shutdown.is_cancelled() {
            let Err(error) = self.session(&handler, &shutdown, &mut backoff).await else {
                continue;
            };
            tracing::warn!(
                event = "consumer.interrupted",
                consumer = self.name,
                error = chain(&error),
                "the consumer starts again"
            );
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(backoff.next()) => {}
            }
        }
    }

    /// One Kafka client, until it breaks, its certificate changes or the shutdown.
    async fn session<H: Handler>(
        &self,
        handler: &H,
        shutdown: &CancellationToken,
        backoff: &mut Backoff,
    ) -> Result<(), FeedError> {
        let feed = Feed::open(&self.link, self.name, &self.instance, &self.topics)?;
        let result = self.consume(&feed, handler, shutdown, backoff).await;
        feed.close().await;
        result
    }

    async fn consume<H: Handler>(
        &self,
        feed: &Feed,
        handler: &H,
        shutdown: &CancellationToken,
        backoff: &mut Backoff,
    ) -> Result<(), FeedError> {
        let fingerprint = self.link.fingerprint();
        let mut tick = tokio::time::interval(TICK);
        let mut paced = Instant::now();
        while !shutdown.is_cancelled() && self.link.fingerprint() == fingerprint {
            tokio::select! {
                () = shutdown.cancelled() => {}
                _ = tick.tick() => self.look_after_parked(handler).await,
                received = feed.next() => {
                    let mut records = vec![received?];
                    let gathered = paced.max(Instant::now() + GATHER);
                    while records.len() < TOGETHER
                        && let Ok(more) = tokio::time::timeout_at(gathered, feed.next()).await
                    {
                        records.push(more?);
                    }
                    paced = Instant::now() + PACE;
                    match self.settle_all(handler, feed, &records, shutdown).await? {
                        Settled::Done => backoff.reset(),
                        Settled::Shutdown => return Ok(()),
                        Settled::Stalled => return Err(FeedError::Stalled),
                    }
                }
            }
        }
        Ok(())
    }

    /// Together where that works, else one after the other.
    async fn settle_all<H: Handler>(
        &self,
        handler: &H,
        feed: &Feed,
        records: &[Received],
        shutdown: &CancellationToken,
    ) -> Result<Settled, FeedError> {
        let give_up = Instant::now() + self.patience;
        if self.settle_together(handler, records).await {
            for (place, _) in records {
                feed.done(place)?;
            }
            return Ok(Settled::Done);
        }
        for (turn, (place, parsed)) in records.iter().enumerate() {
            // Those that are left are delivered again.
            if turn > 0 && Instant::now() >= give_up {
                return Ok(Settled::Stalled);
            }
            match self.settle(handler, parsed, give_up, shutdown).await {
                Settled::Done => feed.done(place)?,
                unsettled => return Ok(unsettled),
            }
        }
        Ok(Settled::Done)
    }

    /// False where nothing was committed: then nothing has happened.
    async fn settle_together<H: Handler>(&self, handler: &H, records: &[Received]) -> bool {
        let well_formed: Vec<&Record> = records
            .iter()
            .filter_map(|(_, parsed)| parsed.as_ref().ok())
            .collect();
        if well_formed.len() < records.len() || records.len() < 2 {
            return false;
        }
        match apply_together(&self.pool, self.name, handler, &well_formed).await {
            Ok(Some(applied)) => {
                applied.into_iter().for_each(|applied| count(self.name, applied));
                true
            }
            Ok(None) => false,
            Err(error) => {
                tracing::debug!(
                    event = "consumer.records_separated",
                    consumer = self.name,
                    error = chain(&*error),
                    "records are applied one by one"
                );
                false
            }
        }
    }

    /// Tries until the record is settled, for as long as patience lasts.
    async fn settle<H: Handler>(
        &self,
        handler: &H,
        parsed: &Result<Record, Malformed>,
        give_up: Instant,
        shutdown: &CancellationToken,
    ) -> Settled {
        let mut backoff = Backoff::new();
        loop {
            let error = match self.attempt(handler, parsed).await {
                Ok(applied) => {
                    count(self.name, applied);
                    return Settled::Done;
                }
                Err(error) => error,
            };
            tracing::warn!(
                event = "consumer.record_delayed",
                consumer = self.name,
                error = chain(&*error),
                "a record waits for the infrastructure"
            );
            if Instant::now() >= give_up {
                return Settled::Stalled;
            }
            tokio::select! {
                () = shutdown.cancelled() => return Settled::Shutdown,
                () = tokio::time::sleep(backoff.next()) => {}
            }
        }
    }

    async fn attempt<H: Handler>(
        &self,
        handler: &H,
        parsed: &Result<Record, Malformed>,
    ) -> Result<Applied, BoxError> {
        match parsed {
            Ok(record) => {
                apply(&self.pool, self.name, handler, record)
                    .instrument(span(self.name, record))
                    .await
            }
            Err(malformed) => {
                park(
                    &self.pool,
                    self.name,
                    &malformed.stand_in,
                    malformed.to_string().into(),
                )
                .await
            }
        }
    }
}

/// Continues the trace of the transaction in which the event happened.
pub(crate) fn span(consumer: &'static str, record: &Record) -> tracing::Span {
    let span = tracing::info_span!(
        "messaging.process",
        otel.name = format!("process {}", record.topic),
        otel.kind = "consumer",
        messaging.system = "kafka",
        messaging.operation.type = "process",
        messaging.consumer.group.name = consumer,
        messaging.destination.name = record.topic,
        messaging.message.id = %record.event_id,
        event_type = record.event_type,
    );
    if let Some(traceparent) = &record.traceparent {
        wathiq_chassis::telemetry::set_parent(&span, traceparent);
    }
    span
}

fn count(consumer: &'static str, applied: Applied) {
    let outcome = match applied {
        Applied::Effect => "effect",
        Applied::Duplicate => "duplicate",
        Applied::Parked => "parked",
    };
    metrics::counter!("consumer_records_total", "consumer" => consumer, "outcome" => outcome).increment(1);
}
