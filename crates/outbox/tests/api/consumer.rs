//! The consumer loop: one effect a record, whatever is repeated, fails or dies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use sqlx::PgConnection;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wathiq_outbox::testing::{Delivered, deliver, plaintext_consumer};
use wathiq_outbox::{HandleError, Handler, Record};

use crate::broker::Broker;
use crate::harness::{Database, fresh_name, wait_until, with_database};

type Behaviour = dyn Fn(&Record, u32) -> Result<(), HandleError> + Send + Sync;

/// Writes one row a record, then behaves as the test says: the argument is the attempt, from 1.
#[derive(Clone)]
pub(crate) struct Effects {
    attempts: Arc<Mutex<HashMap<Uuid, u32>>>,
    behave: Arc<Behaviour>,
}

impl Effects {
    pub(crate) fn new(
        behave: impl Fn(&Record, u32) -> Result<(), HandleError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            attempts: Arc::default(),
            behave: Arc::new(behave),
        }
    }

    pub(crate) fn fine() -> Self {
        Self::new(|_, _| Ok(()))
    }

    pub(crate) fn attempts(&self, event_id: Uuid) -> u32 {
        self.attempts
            .lock()
            .unwrap()
            .get(&event_id)
            .copied()
            .unwrap_or_default()
    }
}

impl Handler for Effects {
    async fn handle(&self, conn: &mut PgConnection, record: &Record) -> Result<(), HandleError> {
        sqlx::query("INSERT INTO effects (aggregate_id, sequence) VALUES ($1, $2)")
            .bind(record.aggregate_id)
            .bind(record.sequence)
            .execute(conn)
            .await?;
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap();
            let attempt = attempts.entry(record.event_id).or_default();
            *attempt += 1;
            *attempt
        };
        (self.behave)(record, attempt)
    }
}

/// The service's own table.
pub(crate) async fn create_effects(database: &Database) {
    let statement = format!(
        "CREATE TABLE effects (id bigint GENERATED ALWAYS AS IDENTITY, aggregate_id uuid, sequence bigint);
         GRANT SELECT, INSERT ON effects TO {}",
        database.application_role
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut database.connect_as_owner().await)
        .await
        .unwrap();
}

/// Sequences of the aggregate in the order of their effects.
pub(crate) async fn effects(database: &Database, aggregate_id: Uuid) -> Vec<i64> {
    let rows: Vec<(i64,)> =
        sqlx::query_as("SELECT sequence FROM effects WHERE aggregate_id = $1 ORDER BY id")
            .bind(aggregate_id)
            .fetch_all(&database.pool)
            .await
            .unwrap();
    rows.into_iter().map(|(sequence,)| sequence).collect()
}

pub(crate) fn record(aggregate_id: Uuid, sequence: i64) -> Record {
    Record {
        event_id: Uuid::now_v7(),
        event_type: "wathiq.test.v1.Happened".to_owned(),
        aggregate_id,
        sequence,
        topic: "test".to_owned(),
        payload: vec![1],
        traceparent: None,
        time: "2026-11-22T10:00:00Z".parse().unwrap(),
    }
}

pub(crate) fn start(
    database: &'static Database,
    broker: &Broker,
    group: &'static str,
    handler: &Effects,
) -> (JoinHandle<()>, CancellationToken) {
    let shutdown = CancellationToken::new();
    let consumer = plaintext_consumer(
        group,
        format!("{group}-0"),
        &[broker.topic],
        database.pool.clone(),
        &broker.brokers(),
    );
    (
        tokio::spawn(consumer.run(handler.clone(), shutdown.clone())),
        shutdown,
    )
}

#[tokio::test]
async fn a_record_delivered_twice_has_one_effect() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        let ids: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
        for sequence in [1, 2, 1, 2, 3, 1] {
            broker
                .produce_event(ids[sequence - 1], aggregate, i64::try_from(sequence).unwrap())
                .await;
        }
        let (consumer, shutdown) = start(database, &broker, fresh_name(), &Effects::fine());
        wait_until("three effects", async || {
            effects(database, aggregate).await.len() >= 3
        })
        .await;
        broker.produce_event(Uuid::now_v7(), aggregate, 4).await;
        wait_until("the last effect", async || {
            effects(database, aggregate).await.contains(&4)
        })
        .await;
        shutdown.cancel();
        consumer.await.unwrap();
        assert_eq!(effects(database, aggregate).await, [1, 2, 3, 4]);
    })
    .await;
}

/// Transactions that have written effects.
async fn transactions(database: &Database) -> i64 {
    database
        .count("SELECT count(DISTINCT xmin::text) FROM effects")
        .await
}

#[tokio::test]
async fn records_that_are_there_share_a_transaction() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let aggregates = [Uuid::now_v7(), Uuid::now_v7()];
        for sequence in 1..=20 {
            for aggregate in aggregates {
                broker.produce_event(Uuid::now_v7(), aggregate, sequence).await;
            }
        }
        let (consumer, shutdown) = start(database, &broker, fresh_name(), &Effects::fine());
        wait_until("all effects", async || {
            database.count("SELECT count(*) FROM effects").await == 40
        })
        .await;
        shutdown.cancel();
        consumer.await.unwrap();
        let in_order: Vec<i64> = (1..=20).collect();
        for aggregate in aggregates {
            assert_eq!(effects(database, aggregate).await, in_order);
        }
        let transactions = transactions(database).await;
        assert!(transactions < 20, "{transactions} transactions for 40 records");
        assert_eq!(database.count("SELECT count(*) FROM inbox").await, 40);
    })
    .await;
}

#[tokio::test]
async fn a_record_at_fault_does_not_take_the_others_along() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let (bad, good) = (Uuid::now_v7(), Uuid::now_v7());
        let handler = Effects::new(move |record, _| {
            if record.aggregate_id == bad && record.sequence == 5 {
                return Err(HandleError::unappliable("unknown office"));
            }
            Ok(())
        });
        for sequence in 1..=10 {
            for aggregate in [bad, good] {
                broker.produce_event(Uuid::now_v7(), aggregate, sequence).await;
            }
        }
        let (consumer, shutdown) = start(database, &broker, fresh_name(), &handler);
        wait_until("all that can be applied", async || {
            effects(database, good).await.len() == 10
                && database.count("SELECT count(*) FROM parked").await == 6
        })
        .await;
        shutdown.cancel();
        consumer.await.unwrap();
        assert_eq!(effects(database, bad).await, [1, 2, 3, 4]);
        assert_eq!(effects(database, good).await, (1..=10).collect::<Vec<i64>>());
    })
    .await;
}

#[tokio::test]
async fn a_shared_transaction_gives_way_to_who_holds_a_lock() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        let mut others = [
            database.connect_as_owner().await,
            database.connect_as_owner().await,
        ];
        sqlx::raw_sql(HOLD).execute(&mut others[0]).await.unwrap();
        let (consumer, shutdown) = start(database, &broker, fresh_name(), &Effects::fine());
        // The first record waits in a transaction of its own while the others come.
        broker.produce_event(Uuid::now_v7(), aggregate, 1).await;
        one_waits(database).await;
        for sequence in 2..=4 {
            broker.produce_event(Uuid::now_v7(), aggregate, sequence).await;
        }
        let [first, second] = &mut others;
        let held_again = async { sqlx::raw_sql(HOLD).execute(&mut *second).await.unwrap() };
        let let_go = async {
            wait_until("two that wait", async || waiting(database).await == 2).await;
            sqlx::raw_sql("COMMIT").execute(first).await.unwrap();
        };
        tokio::join!(held_again, let_go);
        wait_until("the first effect", async || {
            effects(database, aggregate).await == [1]
        })
        .await;
        one_waits(database).await;
        sqlx::raw_sql("COMMIT").execute(second).await.unwrap();
        wait_until("all effects", async || {
            effects(database, aggregate).await.len() == 4
        })
        .await;
        shutdown.cancel();
        consumer.await.unwrap();
        assert_eq!(effects(database, aggregate).await, [1, 2, 3, 4]);
        let transactions = transactions(database).await;
        assert!(transactions > 2, "the later records waited together");
    })
    .await;
}

/// Nobody else writes effects from here on.
const HOLD: &str = "BEGIN; LOCK TABLE effects IN SHARE MODE";

/// Transactions that wait for the table, of whichever role.
async fn waiting(database: &Database) -> i64 {
    database
        .count("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'effects'::regclass")
        .await
}

/// Until a transaction waits for longer than several records may.
async fn one_waits(database: &Database) {
    wait_until("a transaction that goes on waiting", async || {
        database
            .count(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
                 AND now() - xact_start > interval '300 milliseconds'",
            )
            .await
            == 1
    })
    .await;
}

#[tokio::test]
async fn two_groups_in_one_database_each_have_their_effect() {
    with_database(async |database| {
        create_effects(database).await;
        let (aggregate, handler) = (Uuid::now_v7(), Effects::fine());
        let record = record(aggregate, 1);
        for (consumer, expected) in [
            ("one", Delivered::Effect),
            ("two", Delivered::Effect),
            ("one", Delivered::Duplicate),
            ("two", Delivered::Duplicate),
        ] {
            assert_eq!(
                deliver(&database.pool, consumer, &handler, &record)
                    .await
                    .unwrap(),
                expected
            );
        }
        assert_eq!(effects(database, aggregate).await, [1, 1]);
    })
    .await;
}

#[tokio::test]
async fn an_infrastructure_error_is_waited_for_and_never_parks() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let (aggregate, event_id) = (Uuid::now_v7(), Uuid::now_v7());
        let handler = Effects::new(|record, attempt| {
            if record.sequence == 1 && attempt < 5 {
                return Err(HandleError::infrastructure("the mail server does not answer"));
            }
            Ok(())
        });
        broker.produce_event(event_id, aggregate, 1).await;
        broker.produce_event(Uuid::now_v7(), aggregate, 2).await;
        let (consumer, shutdown) = start(database, &broker, fresh_name(), &handler);
        wait_until("both effects", async || {
            effects(database, aggregate).await.len() == 2
        })
        .await;
        shutdown.cancel();
        consumer.await.unwrap();
        assert_eq!(effects(database, aggregate).await, [1, 2]);
        assert_eq!(handler.attempts(event_id), 5);
        assert_eq!(database.count("SELECT count(*) FROM parked").await, 0);
    })
    .await;
}

/// Loses its database connection at the first attempt.
#[derive(Clone)]
struct Unlucky(Effects);

impl Handler for Unlucky {
    async fn handle(&self, conn: &mut PgConnection, record: &Record) -> Result<(), HandleError> {
        self.0.handle(conn, record).await?;
        if self.0.attempts(record.event_id) == 1 {
            sqlx::query("SELECT pg_terminate_backend(pg_backend_pid())")
                .execute(conn)
                .await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_lost_database_connection_is_an_infrastructure_error() {
    with_database(async |database| {
        create_effects(database).await;
        let handler = Unlucky(Effects::fine());
        let (aggregate, group) = (Uuid::now_v7(), fresh_name());
        let record = record(aggregate, 1);
        assert!(deliver(&database.pool, group, &handler, &record).await.is_err());
        assert_eq!(effects(database, aggregate).await, [0; 0]);
        assert_eq!(database.count("SELECT count(*) FROM parked").await, 0);
        assert_eq!(
            deliver(&database.pool, group, &handler, &record).await.unwrap(),
            Delivered::Effect
        );
        assert_eq!(effects(database, aggregate).await, [1]);
    })
    .await;
}

#[tokio::test]
async fn a_crash_before_the_offset_is_sent_repeats_without_a_second_effect() {
    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let (aggregate, group, handler) = (Uuid::now_v7(), fresh_name(), Effects::fine());
        for sequence in 1..=3 {
            broker.produce_event(Uuid::now_v7(), aggregate, sequence).await;
        }
        let (consumer, _) = start(database, &broker, group, &handler);
        wait_until("three effects", async || {
            effects(database, aggregate).await.len() == 3
        })
        .await;
        consumer.abort();

        // Another group name reads from the beginning; under the old name in the inbox that is a repeat of
        // everything.
        sqlx::query("UPDATE inbox SET consumer = $1")
            .bind(format!("{group}.again"))
            .execute(&mut database.connect_as_owner().await)
            .await
            .unwrap();
        let again: &'static str = Box::leak(format!("{group}.again").into_boxed_str());
        let (consumer, shutdown) = start(database, &broker, again, &handler);
        broker.produce_event(Uuid::now_v7(), aggregate, 4).await;
        wait_until("the fourth effect", async || {
            effects(database, aggregate).await.contains(&4)
        })
        .await;
        shutdown.cancel();
        consumer.await.unwrap();
        assert_eq!(effects(database, aggregate).await, [1, 2, 3, 4]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_deliveries_of_one_record_one_has_an_effect() {
    with_database(async |database| {
        create_effects(database).await;
        let (aggregate, handler) = (Uuid::now_v7(), Effects::fine());
        let record = record(aggregate, 1);
        let outcomes =
            futures::future::join_all((0..32).map(|_| deliver(&database.pool, "group", &handler, &record)))
                .await;
        let effective = outcomes
            .into_iter()
            .filter(|outcome| *outcome.as_ref().unwrap() == Delivered::Effect);
        assert_eq!(effective.count(), 1);
        assert_eq!(effects(database, aggregate).await, [1]);
    })
    .await;
}
