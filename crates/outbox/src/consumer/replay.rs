//! Replays the records of aggregates that an operator released.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use tracing::Instrument;
use uuid::Uuid;
use wathiq_chassis::BoxError;

use super::{Consumer, HandleError, Handler, span};
use crate::apply::{handle, inbox};
use crate::error::chain;
use crate::message::Record;

#[derive(FromRow)]
struct Waiting {
    id: i64,
    event_id: Uuid,
    event_type: String,
    topic: String,
    aggregate_id: Uuid,
    sequence: i64,
    payload: Vec<u8>,
    traceparent: Option<String>,
    occurred_at: DateTime<Utc>,
}

impl Consumer {
    /// An error here is the infrastructure's: the next tick tries again.
    pub(super) async fn look_after_parked<H: Handler>(&self, handler: &H) {
        if let Err(error) = self.replay(handler).await {
            tracing::warn!(
                event = "consumer.replay_delayed",
                consumer = self.name,
                error = chain(&*error),
                "released records wait for the infrastructure"
            );
        }
    }

    async fn replay<H: Handler>(&self, handler: &H) -> Result<(), BoxError> {
        while self.replay_one(handler).await? {}
        let (parked,): (i64,) = sqlx::query_as("SELECT count(*) FROM parked WHERE consumer = $1")
            .bind(self.name)
            .fetch_one(&self.pool)
            .await?;
        metrics::gauge!("consumer_parked", "consumer" => self.name).set(parked as f64);
        Ok(())
    }

    /// True when there was a released record, whatever became of it.
    async fn replay_one<H: Handler>(&self, handler: &H) -> Result<bool, BoxError> {
        let mut transaction = self.pool.begin().await?;
        let Some((id, record)) = lock_released(&mut transaction, self.name).await? else {
            return Ok(false);
        };
        let result = if inbox(&mut transaction, self.name, &record).await? {
            handle(handler, &mut transaction, &record)
                .instrument(span(self.name, &record))
                .await
        } else {
            Ok(())
        };
        match result {
            Ok(()) => {
                advance(&mut transaction, self.name, id, record.aggregate_id).await?;
                transaction.commit().await?;
            }
            Err(HandleError::Infrastructure(error)) => return Err(error),
            Err(HandleError::Unappliable(error)) => {
                transaction.rollback().await?;
                self.park_again(id, &record, &error).await?;
            }
        }
        Ok(true)
    }

    async fn park_again(&self, id: i64, record: &Record, error: &BoxError) -> Result<(), sqlx::Error> {
        let error = chain(&**error);
        sqlx::query("UPDATE parked SET released = false, attempts = attempts + 1, error = $2 WHERE id = $1")
            .bind(id)
            .bind(&error)
            .execute(&self.pool)
            .await?;
        tracing::error!(
            event = "consumer.record_parked_again",
            consumer = self.name,
            event_id = %record.event_id,
            aggregate_id = %record.aggregate_id,
            error,
            "a released record could again not be applied"
        );
        Ok(())
    }
}

/// The oldest released record that no other replica is replaying.
async fn lock_released(
    conn: &mut PgConnection,
    consumer: &str,
) -> Result<Option<(i64, Record)>, sqlx::Error> {
    let row: Option<Waiting> = sqlx::query_as(
        "SELECT id, event_id, event_type, topic, aggregate_id, sequence, payload, traceparent, occurred_at
         FROM parked WHERE consumer = $1 AND released ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind(consumer)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let record = Record {
            event_id: row.event_id,
            event_type: row.event_type,
            aggregate_id: row.aggregate_id,
            sequence: row.sequence,
            topic: row.topic,
            payload: row.payload,
            traceparent: row.traceparent,
            time: row.occurred_at,
        };
        (row.id, record)
    }))
}

/// Takes the record out and releases the next of its aggregate.
async fn advance(
    conn: &mut PgConnection,
    consumer: &str,
    id: i64,
    aggregate_id: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM parked WHERE id = $1")
        .bind(id)
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "UPDATE parked SET released = true
         WHERE id = (SELECT min(id) FROM parked WHERE consumer = $1 AND aggregate_id = $2)",
    )
    .bind(consumer)
    .bind(aggregate_id)
    .execute(conn)
    .await?;
    Ok(())
}
