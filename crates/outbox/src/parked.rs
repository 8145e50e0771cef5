//! Aggregates of which a record could not be applied, and the way out: an operator releases the aggregate and
//! the consumer replays what waits, in order; or discards the record at fault first.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::message::Record;

/// A record held back.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Parked {
    pub consumer: String,
    pub event_id: Uuid,
    /// Empty on a record whose headers were malformed.
    pub event_type: String,
    pub topic: String,
    pub aggregate_id: Uuid,
    pub sequence: i64,
    /// Why it could not be applied; `None` on one that only waits behind another of its aggregate.
    pub error: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    pub released: bool,
    pub parked_at: DateTime<Utc>,
}

/// Why the parked records could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ParkedError {
    #[error("event {event_id} is not the first parked record of its aggregate")]
    NotFirst { event_id: Uuid },
    #[error("reading or writing parked records failed")]
    Database(#[from] sqlx::Error),
}

/// All parked records, oldest first.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn parked(conn: &mut PgConnection) -> Result<Vec<Parked>, ParkedError> {
    let rows = sqlx::query_as(
        "SELECT consumer, event_id, event_type, topic, aggregate_id, sequence, error, attempts, released,
                parked_at
         FROM parked ORDER BY id",
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Lets the consumers try the aggregate's records again, in order; within about a second. Returns how many
/// consumers hold records of it: zero says that nothing was parked.
///
/// # Errors
/// When the database refuses or does not answer.
pub async fn release(conn: &mut PgConnection, aggregate_id: Uuid) -> Result<u64, ParkedError> {
    let done = sqlx::query(
        "UPDATE parked SET released = true
         WHERE id IN (SELECT min(id) FROM parked WHERE aggregate_id = $1 GROUP BY consumer)",
    )
    .bind(aggregate_id)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Gives up the record at fault and releases those that wait behind it. The event counts as received.
///
/// # Errors
/// [`ParkedError::NotFirst`] when the record is not parked, or waits itself behind another.
pub async fn discard(conn: &mut PgConnection, consumer: &str, event_id: Uuid) -> Result<(), ParkedError> {
    let gone = sqlx::query_as(
        "WITH gone AS (
             DELETE FROM parked p
             WHERE p.consumer = $1 AND p.event_id = $2 AND NOT EXISTS (
                 SELECT FROM parked earlier
                 WHERE earlier.consumer = p.consumer AND earlier.aggregate_id = p.aggregate_id
                     AND earlier.id < p.id)
             RETURNING consumer, event_id, aggregate_id, id
         ), received AS (
             INSERT INTO inbox (consumer, event_id) SELECT consumer, event_id FROM gone ON CONFLICT DO NOTHING
         ), next AS (
             UPDATE parked SET released = true
             WHERE id = (
                 SELECT min(p.id) FROM parked p JOIN gone USING (consumer, aggregate_id)
                 WHERE p.id > gone.id)
         )
         SELECT id FROM gone",
    )
    .bind(consumer)
    .bind(event_id)
    .fetch_optional(conn)
    .await?;
    let Some((_id,)): Option<(i64,)> = gone else {
        return Err(ParkedError::NotFirst { event_id });
    };
    Ok(())
}

/// Holds the record back when its aggregate is parked for this consumer; true says so (also for one that is
/// already done). The lock makes it wait for a replay that is just about to empty the queue.
pub(crate) async fn hold_back(
    conn: &mut PgConnection,
    consumer: &str,
    record: &Record,
) -> Result<bool, sqlx::Error> {
    let waiting: Vec<(i64,)> = sqlx::query_as(
        "SELECT id FROM parked WHERE consumer = $1 AND aggregate_id = $2 ORDER BY id FOR UPDATE",
    )
    .bind(consumer)
    .bind(record.aggregate_id)
    .fetch_all(&mut *conn)
    .await?;
    if waiting.is_empty() {
        return Ok(false);
    }
    insert(conn, consumer, record, None).await?;
    Ok(true)
}

/// Whether an aggregate of these records is parked for this consumer.
pub(crate) async fn any(
    conn: &mut PgConnection,
    consumer: &str,
    records: &[&Record],
) -> Result<bool, sqlx::Error> {
    let aggregates: Vec<Uuid> = records.iter().map(|record| record.aggregate_id).collect();
    let (parked,): (bool,) =
        sqlx::query_as("SELECT EXISTS (SELECT FROM parked WHERE consumer = $1 AND aggregate_id = ANY($2))")
            .bind(consumer)
            .bind(aggregates)
            .fetch_one(conn)
            .await?;
    Ok(parked)
}

/// Parks the record. Nothing happens when another replica has applied or parked it meanwhile.
pub(crate) async fn park(
    conn: &mut PgConnection,
    consumer: &str,
    record: &Record,
    error: &str,
) -> Result<(), sqlx::Error> {
    insert(conn, consumer, record, Some(error)).await
}

async fn insert(
    conn: &mut PgConnection,
    consumer: &str,
    record: &Record,
    error: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO parked (consumer, event_id, event_type, topic, aggregate_id, sequence, payload,
                             traceparent, occurred_at, error, attempts)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
         WHERE NOT EXISTS (SELECT FROM inbox WHERE consumer = $1 AND event_id = $2)
         ON CONFLICT DO NOTHING",
    )
    .bind(consumer)
    .bind(record.event_id)
    .bind(&record.event_type)
    .bind(&record.topic)
    .bind(record.aggregate_id)
    .bind(record.sequence)
    .bind(&record.payload)
    .bind(record.traceparent.as_deref())
    .bind(record.time)
    .bind(error)
    .bind(i32::from(error.is_some()))
    .execute(conn)
    .await?;
    Ok(())
}
