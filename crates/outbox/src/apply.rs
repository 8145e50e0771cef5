//! One record, one transaction: the inbox row and the effect, or the record parked. Several records that nothing
//! is in the way of share one.

use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;
use wathiq_chassis::BoxError;

use crate::consumer::{Delivery, HandleError, Handler, span};
use crate::error::chain;
use crate::message::Record;
use crate::parked;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    Effect,
    /// The inbox knows the event.
    Duplicate,
    /// It could not be applied, or waits behind one of its aggregate that could not.
    Parked,
}

/// # Errors
/// Only of the infrastructure: nothing is committed, the record is to be tried again.
pub(crate) async fn apply<H: Handler>(
    pool: &PgPool,
    consumer: &str,
    handler: &H,
    record: &Record,
) -> Result<Applied, BoxError> {
    let mut transaction = pool.begin().await?;
    if parked::hold_back(&mut transaction, consumer, record).await? {
        transaction.commit().await?;
        return Ok(Applied::Parked);
    }
    if !inbox(&mut transaction, consumer, record).await? {
        transaction.rollback().await?;
        return Ok(Applied::Duplicate);
    }
    match handle(handler, &mut transaction, record).await {
        Ok(()) => {
            transaction.commit().await?;
            Ok(Applied::Effect)
        }
        Err(HandleError::Infrastructure(error)) => Err(error),
        Err(HandleError::Unappliable(error)) => {
            transaction.rollback().await?;
            park(pool, consumer, record, error).await
        }
    }
}

/// Applies records in their order in one transaction. `None` where one is at fault, or an aggregate is parked:
/// nothing is committed then.
///
/// # Errors
/// Of the infrastructure: nothing is committed.
pub(crate) async fn apply_together<H: Handler>(
    pool: &PgPool,
    consumer: &'static str,
    handler: &H,
    records: &[&Record],
) -> Result<Option<Vec<Applied>>, BoxError> {
    let mut transaction = pool.begin().await?;
    give_way(&mut transaction).await?;
    if parked::any(&mut transaction, consumer, records).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    let mut new = inbox_all(&mut transaction, consumer, records).await?;
    let mut applied = Vec::with_capacity(records.len());
    let mut deliveries = Vec::with_capacity(records.len());
    for record in records {
        // What came twice is handled the first time.
        if !new.remove(&record.event_id) {
            applied.push(Applied::Duplicate);
            continue;
        }
        applied.push(Applied::Effect);
        deliveries.push(Delivery {
            record,
            span: span(consumer, record),
        });
    }
    let among = deliveries.iter().map(|delivery| delivery.record);
    match sound(among, handler.handle_all(&mut transaction, &deliveries)).await {
        Ok(()) => {}
        Err(HandleError::Infrastructure(error)) => return Err(error),
        Err(HandleError::Unappliable(_)) => {
            transaction.rollback().await?;
            return Ok(None);
        }
    }
    transaction.commit().await?;
    Ok(Some(applied))
}

pub(crate) async fn park(
    pool: &PgPool,
    consumer: &str,
    record: &Record,
    error: BoxError,
) -> Result<Applied, BoxError> {
    let error = chain(&*error);
    parked::park(&mut *pool.acquire().await?, consumer, record, &error).await?;
    tracing::error!(
        event = "consumer.record_parked",
        consumer,
        topic = record.topic,
        event_id = %record.event_id,
        aggregate_id = %record.aggregate_id,
        error,
        "a record could not be applied; its aggregate is parked"
    );
    Ok(Applied::Parked)
}

/// False when the event is there already. A concurrent insert of the same event waits here for the other
/// transaction.
pub(crate) async fn inbox(
    conn: &mut PgConnection,
    consumer: &str,
    record: &Record,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(consumer)
        .bind(record.event_id)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The transaction gives up before the server looks for deadlocks (`deadlock_timeout`, 1 s): it locks what several
/// records are about, in their order, and is the one that can start again.
async fn give_way(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SET LOCAL lock_timeout = '200ms'")
        .execute(conn)
        .await?;
    Ok(())
}

/// The events that were not there yet.
async fn inbox_all(
    conn: &mut PgConnection,
    consumer: &str,
    records: &[&Record],
) -> Result<HashSet<Uuid>, sqlx::Error> {
    let ids: Vec<Uuid> = records.iter().map(|record| record.event_id).collect();
    let new: Vec<(Uuid,)> = sqlx::query_as(
        "INSERT INTO inbox (consumer, event_id) SELECT $1, id FROM unnest($2::uuid[]) AS received (id) ORDER BY id
         ON CONFLICT DO NOTHING RETURNING event_id",
    )
    .bind(consumer)
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(new.into_iter().map(|(id,)| id).collect())
}

pub(crate) async fn handle<H: Handler>(
    handler: &H,
    conn: &mut PgConnection,
    record: &Record,
) -> Result<(), HandleError> {
    sound([record], handler.handle(conn, record)).await
}

/// A handler that panics would panic again: the record is at fault, not the infrastructure.
async fn sound<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    handled: impl Future<Output = Result<(), HandleError>>,
) -> Result<(), HandleError> {
    if records.into_iter().any(|record| record.event_type.is_empty()) {
        return Err(HandleError::Unappliable("the record is malformed".into()));
    }
    AssertUnwindSafe(handled)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(HandleError::Unappliable("the handler panicked".into())))
}
