//! Records that cannot be applied hold their aggregate, and only it, until an operator lets them go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use uuid::Uuid;
use wathiq_outbox::parked::{discard, parked, release};
use wathiq_outbox::testing::{Delivered, deliver};
use wathiq_outbox::{HandleError, Parked, ParkedError, Record};

use crate::broker::Broker;
use crate::consumer::{Effects, create_effects, effects, record, start};
use crate::harness::{Database, fresh_name, wait_until, with_database};

/// Refuses sequence 2 of every aggregate until it is mended.
fn picky() -> (Effects, Arc<AtomicBool>) {
    let mended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&mended);
    let effects = Effects::new(move |record, _| {
        if record.sequence == 2 && !flag.load(Ordering::SeqCst) {
            return Err(HandleError::unappliable("unknown office"));
        }
        Ok(())
    });
    (effects, mended)
}

async fn all(database: &Database) -> Vec<Parked> {
    parked(&mut database.connect().await).await.unwrap()
}

async fn sequences(database: &Database) -> Vec<i64> {
    all(database).await.iter().map(|parked| parked.sequence).collect()
}

/// What the consumer loop does with records of the aggregate, without Kafka.
async fn deliver_all(
    database: &Database,
    consumer: &str,
    handler: &Effects,
    aggregate_id: Uuid,
    sequences: impl Iterator<Item = i64>,
) -> Vec<Record> {
    let records: Vec<Record> = sequences.map(|sequence| record(aggregate_id, sequence)).collect();
    for record in &records {
        deliver(&database.pool, consumer, handler, record).await.unwrap();
    }
    records
}

#[tokio::test]
async fn later_records_wait_behind_and_a_release_replays_all_in_order() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
        let (handler, mended) = picky();
        for sequence in 1..=4 {
            broker.produce_event(Uuid::now_v7(), bad, sequence).await;
        }
        broker.produce_event(Uuid::now_v7(), good, 1).await;
        let (consumer, shutdown) = start(database, &broker, fresh_name(), &handler);
        wait_until("three records are parked", async || {
            sequences(database).await == [2, 3, 4]
        })
        .await;
        wait_until("the other aggregate goes on", async || {
            effects(database, good).await == [1]
        })
        .await;
        assert_eq!(effects(database, bad).await, [1]);
        let first = all(database).await.remove(0);
        assert_eq!(first.error.as_deref(), Some("unknown office"));
        assert_eq!(
            (first.attempts, first.aggregate_id, first.topic.as_str()),
            (1, bad, broker.topic)
        );
        assert_eq!(all(database).await[1].error, None);

        // Released too early it is parked again, and what waits stays behind it.
        assert_eq!(release(&mut database.connect().await, bad).await.unwrap(), 1);
        wait_until("it was tried again", async || {
            all(database).await[0].attempts == 2
        })
        .await;
        assert_eq!(sequences(database).await, [2, 3, 4]);
        assert!(!all(database).await[0].released);

        mended.store(true, Ordering::SeqCst);
        release(&mut database.connect().await, bad).await.unwrap();
        wait_until("nothing is parked", async || sequences(database).await.is_empty()).await;
        broker.produce_event(Uuid::now_v7(), bad, 5).await;
        wait_until("the aggregate goes on", async || {
            effects(database, bad).await.len() == 5
        })
        .await;
        assert_eq!(effects(database, bad).await, [1, 2, 3, 4, 5]);
        shutdown.cancel();
        consumer.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_record_given_up_lets_the_others_follow() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let (aggregate, group) = (Uuid::now_v7(), fresh_name());
        let (handler, _) = picky();
        let records = deliver_all(database, group, &handler, aggregate, 1..=4).await;
        assert_eq!(sequences(database).await, [2, 3, 4]);
        let (bad, waiting) = (&records[1], &records[2]);
        let (consumer, shutdown) = start(database, &broker, group, &handler);
        let mut conn = database.connect().await;
        let error = discard(&mut conn, group, waiting.event_id).await.unwrap_err();
        assert!(matches!(error, ParkedError::NotFirst { event_id } if event_id == waiting.event_id));
        discard(&mut conn, group, bad.event_id).await.unwrap();
        wait_until("nothing is parked", async || sequences(database).await.is_empty()).await;
        assert_eq!(effects(database, aggregate).await, [1, 3, 4]);
        // The record given up counts as received.
        let again = deliver(&database.pool, group, &handler, bad).await.unwrap();
        assert_eq!(again, Delivered::Duplicate);
        assert_eq!(effects(database, aggregate).await, [1, 3, 4]);
        shutdown.cancel();
        consumer.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_repeat_of_an_applied_record_is_not_held_back() {
    with_database(async |database| {
        create_effects(database).await;
        let aggregate = Uuid::now_v7();
        let (handler, _) = picky();
        let records: Vec<_> = (1..=3).map(|sequence| record(aggregate, sequence)).collect();
        for _ in 0..2 {
            for record in &records {
                deliver(&database.pool, "group", &handler, record).await.unwrap();
            }
        }
        assert_eq!(sequences(database).await, [2, 3]);
        assert_eq!(effects(database, aggregate).await, [1]);
    })
    .await;
}

#[tokio::test]
async fn one_group_parks_and_another_goes_on() {
    with_database(async |database| {
        create_effects(database).await;
        let aggregate = Uuid::now_v7();
        let (picky, _) = picky();
        let record = record(aggregate, 2);
        assert_eq!(
            deliver(&database.pool, "one", &picky, &record).await.unwrap(),
            Delivered::Parked
        );
        let fine = Effects::fine();
        assert_eq!(
            deliver(&database.pool, "two", &fine, &record).await.unwrap(),
            Delivered::Effect
        );
    })
    .await;
}

#[tokio::test]
async fn a_handler_that_panics_parks_the_record() {
    with_database(async |database| {
        create_effects(database).await;
        let aggregate = Uuid::now_v7();
        let handler = Effects::new(|record, _| panic!("no idea what {} is", record.sequence));
        let outcome = deliver(&database.pool, "group", &handler, &record(aggregate, 1))
            .await
            .unwrap();
        assert_eq!(outcome, Delivered::Parked);
        assert_eq!(
            all(database).await[0].error.as_deref(),
            Some("the handler panicked")
        );
        assert_eq!(effects(database, aggregate).await, [0; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_malformed_record_parks_its_key() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        broker
            .produce(aggregate, &[("ce_specversion", "0.3")], b"?")
            .await;
        broker.produce_event(Uuid::now_v7(), aggregate, 1).await;
        let group = fresh_name();
        let (consumer, shutdown) = start(database, &broker, group, &Effects::fine());
        wait_until("both records are parked", async || all(database).await.len() == 2).await;
        let first = all(database).await.remove(0);
        assert_eq!(first.aggregate_id, aggregate);
        let error = first.error.unwrap();
        assert!(
            error.ends_with("is malformed: ce_specversion is not 1.0"),
            "{error}"
        );
        discard(&mut database.connect().await, group, first.event_id)
            .await
            .unwrap();
        wait_until("the next one is applied", async || {
            effects(database, aggregate).await == [1]
        })
        .await;
        shutdown.cancel();
        consumer.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_the_schema_refuses_is_the_records_fault() {
    with_database(async |database| {
        let statement = format!(
            "CREATE TABLE effects (aggregate_id uuid, sequence bigint CHECK (sequence < 10));
             GRANT INSERT ON effects TO {}",
            database.application_role
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut database.connect_as_owner().await)
            .await
            .unwrap();
        let (handler, record) = (Effects::fine(), record(Uuid::now_v7(), 10));
        assert_eq!(
            deliver(&database.pool, "g", &handler, &record).await.unwrap(),
            Delivered::Parked
        );
        let error = all(database).await[0].error.clone().unwrap();
        assert!(error.contains("effects_sequence_check"), "{error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_while_records_arrive_loses_and_reorders_none() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        let (handler, mended) = picky();
        let group = fresh_name();
        deliver_all(database, group, &handler, aggregate, 1..=20).await;
        assert_eq!(sequences(database).await.len(), 19);
        let (consumer, shutdown) = start(database, &broker, group, &handler);
        mended.store(true, Ordering::SeqCst);
        release(&mut database.connect().await, aggregate).await.unwrap();
        wait_until("the replay has begun", async || {
            effects(database, aggregate).await.len() > 1
        })
        .await;
        // As another replica would, deliver on while the consumer replays.
        deliver_all(database, group, &handler, aggregate, 21..=60).await;
        wait_until("nothing is parked", async || sequences(database).await.is_empty()).await;
        assert_eq!(effects(database, aggregate).await, (1..=60).collect::<Vec<i64>>());
        shutdown.cancel();
        consumer.await.unwrap();
    })
    .await;
}
