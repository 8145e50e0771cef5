//! Carries the outbox to Kafka. One relay of a database works at a time, elected by an advisory lock that
//! lives on the very connection that reads and marks: a relay that loses this connection loses the election
//! with it.
//!
//! Unpublished rows go in id order, never from a remembered position (ids become visible out of order). Two
//! events of one aggregate are never under way together, and only what was acknowledged is marked. After
//! any failed delivery the relay purges its producer, gives up the lock and starts again from the oldest
//! unmarked row: what was sent but not marked is sent again, nothing is skipped or overtaken.

mod database;
mod sender;
mod wake;

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::Ambient;

use crate::KafkaConfig;
use crate::backoff::Backoff;
use crate::error::chain;
use crate::kafka::Link;
use database::{Database, DatabaseError};
use sender::{DeliveryError, Sender};

/// How often rows are looked for when nothing woke the relay, and how often a stand-by asks for the lock.
const POLL: Duration = Duration::from_secs(1);
/// How long rows may gather after the first that woke the relay, and for how long after others: many of them cost the database and Kafka
/// hardly more than one, and where few come nobody waits.
const GATHER: Duration = Duration::from_millis(20);
const PACE: Duration = Duration::from_millis(150);
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// The relay of one service; see the module.
pub struct Relay {
    options: PgConnectOptions,
    link: Link,
    source: &'static str,
    ambient: Ambient,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("the relay's database connection failed")]
    Database(#[from] DatabaseError),
    #[error("the relay could not deliver to kafka")]
    Delivery(#[from] DeliveryError),
}

impl Relay {
    /// `source` is the CloudEvents source, such as `wathiq/signature`. The options are those of the
    /// application role, straight to the server or through a session pooler: a transaction pooler would break
    /// the lock.
    pub fn new(
        database: PgConnectOptions,
        kafka: KafkaConfig,
        source: &'static str,
        ambient: Ambient,
    ) -> Self {
        Self::over(database, Link::tls(&kafka), source, ambient)
    }

    pub(crate) fn over(
        options: PgConnectOptions,
        link: Link,
        source: &'static str,
        ambient: Ambient,
    ) -> Self {
        Self {
            options: database::hardened(options, source),
            link,
            source,
            ambient,
        }
    }

    /// Works until the shutdown, whatever fails meanwhile. A batch under way is finished first.
    pub async fn run(self, shutdown: CancellationToken) {
        let wake = Arc::new(Notify::new());
        tokio::select! {
            () = self.work(&wake, &shutdown) => {}
            () = wake::listen(&self.options, &wake) => {}
        }
    }

    async fn work(&self, wake: &Notify, shutdown: &CancellationToken) {
        let mut sender = Sender::new(self.link.clone(), self.source);
        let mut backoff = Backoff::new();
        loop {
            let Err(error) = self.session(&mut sender, wake, shutdown, &mut backoff).await else {
                break;
            };
            tracing::warn!(
                event = "outbox.relay_interrupted",
                source = self.source,
                error = chain(&error),
                "the outbox relay starts again"
            );
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(backoff.next()) => {}
            }
        }
        sender.discard().await;
    }

    /// One connection, from its making to its loss or to the shutdown.
    async fn session(
        &self,
        sender: &mut Sender,
        wake: &Notify,
        shutdown: &CancellationToken,
        backoff: &mut Backoff,
    ) -> Result<(), RelayError> {
        let mut database = Database::connect(&self.options).await?;
        let result = self.lead(&mut database, sender, wake, shutdown, backoff).await;
        database.close().await;
        result
    }

    async fn lead(
        &self,
        database: &mut Database,
        sender: &mut Sender,
        wake: &Notify,
        shutdown: &CancellationToken,
        backoff: &mut Backoff,
    ) -> Result<(), RelayError> {
        let mut leads = false;
        let mut forget_at = Instant::now();
        let mut paced = Instant::now();
        while !shutdown.is_cancelled() {
            database.measure(self.ambient.now()).await?;
            if !leads && database.try_lead().await? {
                tracing::info!(
                    event = "outbox.relay_leads",
                    source = self.source,
                    "this relay leads"
                );
                leads = true;
            }
            if leads {
                paced = Instant::now() + PACE;
                self.publish(database, sender, shutdown, backoff).await?;
                if Instant::now() >= forget_at {
                    database.forget_expired(&self.ambient).await?;
                    forget_at = Instant::now() + FORGET_EVERY;
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = wake.notified() => tokio::time::sleep_until(paced.max(Instant::now() + GATHER)).await,
                () = tokio::time::sleep(POLL) => {}
            }
        }
        Ok(())
    }

    async fn publish(
        &self,
        database: &mut Database,
        sender: &mut Sender,
        shutdown: &CancellationToken,
        backoff: &mut Backoff,
    ) -> Result<(), RelayError> {
        while !shutdown.is_cancelled() {
            database.measure(self.ambient.now()).await?;
            let rows = database.unpublished().await?;
            if rows.is_empty() {
                break;
            }
            let sent = sender.send(&rows).await;
            database.mark(&sent.acknowledged, self.ambient.now()).await?;
            if !sent.acknowledged.is_empty() {
                backoff.reset();
            }
            if let Some(failure) = sent.failure {
                return Err(failure.into());
            }
            // What is committed meanwhile wakes the relay again.
            if rows.len() < database::BATCH {
                break;
            }
        }
        Ok(())
    }
}
