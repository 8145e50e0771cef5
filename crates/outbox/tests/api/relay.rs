//! What the relay carries and in which order.

use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wathiq_outbox::append;
use wathiq_outbox::testing::{events, plaintext_relay};

use crate::broker::{Broker, sequences};
use crate::harness::{Database, event, wait_until, with_database};

/// Starts a relay in a task of its own; dropping the handle does not stop it, aborting it is a crash.
pub(crate) fn start(
    database: &'static Database,
    broker: &Broker,
    source: &'static str,
) -> (tokio::task::JoinHandle<()>, CancellationToken) {
    let shutdown = CancellationToken::new();
    let relay = plaintext_relay(
        database.application.clone(),
        &broker.brokers(),
        source,
        database.ambient.clone(),
    );
    (tokio::spawn(relay.run(shutdown.clone())), shutdown)
}

#[tokio::test]
async fn every_event_arrives_once_and_in_order_with_its_headers() {
    with_database(async |database| {
        let broker = Broker::start();
        let aggregates: Vec<Uuid> = (0..5).map(|_| Uuid::now_v7()).collect();
        database.append_interleaved(broker.topic, &aggregates, 40).await;
        let (relay, shutdown) = start(database, &broker, "wathiq/test");
        database.wait_until_drained().await;
        shutdown.cancel();
        relay.await.unwrap();

        let records = broker.records();
        assert_eq!(records.len(), 200);
        for (aggregate, sequences) in sequences(&records) {
            assert_eq!(sequences, (1..=40).collect::<Vec<i64>>(), "{aggregate}");
        }
        let stored = events(&mut database.connect().await).await;
        let one = &stored[17];
        let record = records
            .iter()
            .find(|record| record.headers["ce_id"] == one.event_id.to_string())
            .unwrap();
        assert_eq!(record.key, one.aggregate_id.to_string());
        assert_eq!(record.payload, one.payload);
        let header = |name: &str| record.headers[name].as_str();
        assert_eq!(
            (header("ce_specversion"), header("content-type")),
            ("1.0", "application/protobuf")
        );
        assert_eq!(
            (header("ce_source"), header("ce_type")),
            ("wathiq/test", "wathiq.test.v1.Happened")
        );
        assert_eq!(header("ce_subject"), one.aggregate_id.to_string());
        assert_eq!(
            header("ce_time")
                .parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap(),
            one.occurred_at
        );
    })
    .await;
}

#[tokio::test]
async fn an_id_that_becomes_visible_late_is_not_skipped() {
    with_database(async |database| {
        let broker = Broker::start();
        let (relay, shutdown) = start(database, &broker, "wathiq/test");
        let (late, early) = (Uuid::now_v7(), Uuid::now_v7());
        let mut transaction = database.pool.begin().await.unwrap();
        append(&mut transaction, &database.ambient, event(broker.topic, late, 1))
            .await
            .unwrap();
        database.append(broker.topic, early, 1).await;
        wait_until("the higher id is published", async || {
            database
                .count("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL")
                .await
                == 1
        })
        .await;
        transaction.commit().await.unwrap();
        database.wait_until_drained().await;
        shutdown.cancel();
        relay.await.unwrap();
        let mut keys: Vec<String> = broker.records().into_iter().map(|record| record.key).collect();
        keys.sort();
        assert_eq!(keys, [late.to_string(), early.to_string()]);
    })
    .await;
}

#[tokio::test]
async fn a_commit_wakes_the_relay() {
    with_database(async |database| {
        let broker = Broker::start();
        let (relay, shutdown) = start(database, &broker, "wathiq/test");
        wait_until("the relay listens", async || {
            let (listening,): (i64,) = sqlx::query_as(
                "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%wathiq_outbox%'
                     AND datname = current_database()",
            )
            .fetch_one(&database.pool)
            .await
            .unwrap();
            listening > 0
        })
        .await;
        // The first record pays for the producer's connections.
        database.append(broker.topic, Uuid::now_v7(), 1).await;
        database.wait_until_drained().await;
        // Ten commits one after the other, each waited for, would need some ten seconds with the one-second
        // poll alone.
        let started = std::time::Instant::now();
        for _ in 0..10 {
            database.append(broker.topic, Uuid::now_v7(), 1).await;
            database.wait_until_drained().await;
        }
        assert!(
            started.elapsed() < std::time::Duration::from_secs(8),
            "{:?}",
            started.elapsed()
        );
        shutdown.cancel();
        relay.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_leader_forgets_old_requests() {
    with_database(async |database| {
        sqlx::query(
            "INSERT INTO idempotency (principal, method, request_id, hash, claimed_at)
             VALUES ('p', 'old', gen_random_uuid(), sha256(''), now() - interval '25 hours'),
                    ('p', 'new', gen_random_uuid(), sha256(''), now() - interval '23 hours')",
        )
        .execute(&database.pool)
        .await
        .unwrap();
        let broker = Broker::start();
        let (relay, shutdown) = start(database, &broker, "wathiq/test");
        wait_until("the old request is gone", async || {
            database.count("SELECT count(*) FROM idempotency").await == 1
        })
        .await;
        assert_eq!(
            database
                .count("SELECT count(*) FROM idempotency WHERE method = 'new'")
                .await,
            1
        );
        shutdown.cancel();
        relay.await.unwrap();
    })
    .await;
}
