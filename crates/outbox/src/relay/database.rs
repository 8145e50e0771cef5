//! The relay's one connection: it holds the lock, reads the rows and marks them.

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::time::Instant;
use uuid::Uuid;
use wathiq_chassis::Ambient;

use crate::idempotency::{self, IdempotencyError};

/// Advisory locks are per database, so that one key serves all services ("wathiqob" in ASCII).
const LOCK: i64 = 0x7761_7468_6971_6f62;
const MEASURE_EVERY: Duration = Duration::from_secs(1);
/// Rows read at a time, at most.
pub(super) const BATCH: usize = 256;
/// Above the server's own statement time-out, for a server that no longer answers at all.
const ANSWER_WITHIN: Duration = Duration::from_secs(12);

#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    #[error("{doing} failed")]
    Failed {
        doing: &'static str,
        source: sqlx::Error,
    },
    #[error("{doing} got no answer within {} s", ANSWER_WITHIN.as_secs())]
    Silent { doing: &'static str },
    #[error("forgetting old requests failed")]
    Forget(#[source] IdempotencyError),
}

/// A row of `outbox` as the relay needs it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) event_id: Uuid,
    pub(super) topic: String,
    pub(super) event_type: String,
    pub(super) aggregate_id: Uuid,
    pub(super) sequence: i64,
    pub(super) payload: Vec<u8>,
    pub(super) traceparent: Option<String>,
    pub(super) occurred_at: DateTime<Utc>,
}

pub(super) struct Database {
    conn: PgConnection,
    measure_at: Instant,
}

/// The server gives up a silent peer after 10 s (time-outs of the session, so that they hold for the side
/// that keeps the lock), and no statement takes longer than 10 s.
pub(super) fn hardened(options: PgConnectOptions, source: &str) -> PgConnectOptions {
    options
        .application_name(&format!("{source} outbox relay"))
        .options([
            ("statement_timeout", "10s"),
            ("tcp_user_timeout", "10000"),
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "1"),
            ("tcp_keepalives_count", "5"),
        ])
}

impl Database {
    pub(super) async fn connect(options: &PgConnectOptions) -> Result<Self, DatabaseError> {
        let conn = answer("connecting", options.connect()).await?;
        Ok(Self {
            conn,
            measure_at: Instant::now(),
        })
    }

    pub(super) async fn try_lead(&mut self) -> Result<bool, DatabaseError> {
        let asked = sqlx::query_as("SELECT pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut self.conn);
        let (leads,): (bool,) = answer("asking for the lock", asked).await?;
        Ok(leads)
    }

    pub(super) async fn unpublished(&mut self) -> Result<Vec<Row>, DatabaseError> {
        let asked = sqlx::query_as(
            "SELECT id, event_id, topic, event_type, aggregate_id, sequence, payload, traceparent, occurred_at
             FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT $1",
        )
        .bind(BATCH as i64)
        .fetch_all(&mut self.conn);
        answer("reading unpublished rows", asked).await
    }

    /// A relay that lost the lock while its rows were under way may find them marked by its successor.
    pub(super) async fn mark(&mut self, ids: &[i64], now: DateTime<Utc>) -> Result<(), DatabaseError> {
        if ids.is_empty() {
            return Ok(());
        }
        let asked =
            sqlx::query("UPDATE outbox SET published_at = $1 WHERE id = ANY($2) AND published_at IS NULL")
                .bind(now)
                .bind(ids)
                .execute(&mut self.conn);
        answer("marking published rows", asked).await?;
        Ok(())
    }

    /// Sets `outbox_unpublished` and `outbox_lag_seconds`, unless it did so just before; stand-bys do so too, so that no
    /// value goes stale.
    pub(super) async fn measure(&mut self, now: DateTime<Utc>) -> Result<(), DatabaseError> {
        if Instant::now() < self.measure_at {
            return Ok(());
        }
        self.measure_at = Instant::now() + MEASURE_EVERY;
        let asked =
            sqlx::query_as("SELECT count(*), min(occurred_at) FROM outbox WHERE published_at IS NULL")
                .fetch_one(&mut self.conn);
        let (unpublished, oldest): (i64, Option<DateTime<Utc>>) =
            answer("measuring the outbox", asked).await?;
        let lag = oldest.map_or(0.0, |oldest| (now - oldest).as_seconds_f64().max(0.0));
        metrics::gauge!("outbox_unpublished").set(unpublished as f64);
        metrics::gauge!("outbox_lag_seconds").set(lag);
        Ok(())
    }

    pub(super) async fn forget_expired(&mut self, ambient: &Ambient) -> Result<(), DatabaseError> {
        let forgotten = idempotency::forget_expired(&mut self.conn, ambient)
            .await
            .map_err(DatabaseError::Forget)?;
        tracing::debug!(
            event = "outbox.requests_forgotten",
            forgotten,
            "old requests were forgotten"
        );
        Ok(())
    }

    /// The lock ends with the session; a close that fails or hangs ends it by dropping the socket.
    pub(super) async fn close(self) {
        if answer("closing", self.conn.close()).await.is_err() {
            tracing::debug!(
                event = "outbox.relay_close_failed",
                "the relay's connection was dropped without a goodbye"
            );
        }
    }
}

async fn answer<T>(
    doing: &'static str,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, DatabaseError> {
    match tokio::time::timeout(ANSWER_WITHIN, asked).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(source)) => Err(DatabaseError::Failed { doing, source }),
        Err(_) => Err(DatabaseError::Silent { doing }),
    }
}
