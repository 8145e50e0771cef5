//! Of several relays of a database one works; another takes over when it is gone.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::broker::{Broker, first_sequences, sequences};
use crate::harness::{wait_until, with_database};
use crate::relay::start;

const LEADERS: &str = "SELECT a.pid, a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()";

async fn leaders(superuser: &mut PgConnection) -> Vec<(i32, String)> {
    sqlx::query_as(LEADERS).fetch_all(superuser).await.unwrap()
}

async fn connected(superuser: &mut PgConnection) -> i64 {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT count(DISTINCT application_name) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE '%outbox relay'",
    )
    .fetch_one(superuser)
    .await
    .unwrap();
    count
}

#[tokio::test]
async fn of_two_relays_one_works_and_the_other_takes_over_after_a_crash() {
    with_database(async |database| {
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        let (first, _) = start(database, &broker, "wathiq/first");
        let mut superuser = database.connect_as_superuser().await;
        wait_until("the first leads", async || {
            leaders(&mut superuser).await.len() == 1
        })
        .await;
        let (second, shutdown) = start(database, &broker, "wathiq/second");
        wait_until("the second is there", async || {
            connected(&mut superuser).await == 2
        })
        .await;
        for sequence in 1..=20 {
            database.append(broker.topic, aggregate, sequence).await;
        }
        database.wait_until_drained().await;
        assert_eq!(leaders(&mut superuser).await[0].1, "wathiq/first outbox relay");
        first.abort();
        for sequence in 21..=40 {
            database.append(broker.topic, aggregate, sequence).await;
        }
        database.wait_until_drained().await;
        assert_eq!(leaders(&mut superuser).await[0].1, "wathiq/second outbox relay");
        shutdown.cancel();
        second.await.unwrap();
        let records = broker.records();
        let firsts = first_sequences(&records);
        assert_eq!(
            firsts[aggregate.to_string().as_str()],
            (1..=40).collect::<Vec<i64>>()
        );
        let by_first = records
            .iter()
            .filter(|record| record.headers["ce_source"] == "wathiq/first")
            .count();
        assert!((20..40).contains(&by_first), "the first relay sent {by_first}");
        let last = records.iter().max_by_key(|record| record.sequence()).unwrap();
        assert_eq!(last.headers["ce_source"], "wathiq/second");
    })
    .await;
}

#[tokio::test]
async fn two_working_relays_send_nothing_twice() {
    with_database(async |database| {
        let broker = Broker::start();
        let running = [
            start(database, &broker, "wathiq/a"),
            start(database, &broker, "wathiq/b"),
        ];
        let aggregates: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
        database.append_interleaved(broker.topic, &aggregates, 30).await;
        database.wait_until_drained().await;
        for (relay, shutdown) in running {
            shutdown.cancel();
            relay.await.unwrap();
        }
        for (aggregate, sequences) in sequences(&broker.records()) {
            assert_eq!(sequences, (1..=30).collect::<Vec<i64>>(), "{aggregate}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_leader_whose_connection_dies_leads_again_or_is_replaced() {
    with_database(async |database| {
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        let running = [
            start(database, &broker, "wathiq/a"),
            start(database, &broker, "wathiq/b"),
        ];
        let mut superuser = database.connect_as_superuser().await;
        let mut sequence = 0;
        for _ in 0..3 {
            let mut leading = Vec::new();
            wait_until("one leads", async || {
                leading = leaders(&mut superuser).await;
                leading.len() == 1
            })
            .await;
            let (leader, _) = leading.swap_remove(0);
            for _ in 0..10 {
                sequence += 1;
                database.append(broker.topic, aggregate, sequence).await;
            }
            sqlx::query("SELECT pg_terminate_backend($1)")
                .bind(leader)
                .execute(&mut superuser)
                .await
                .unwrap();
            sequence += 1;
            database.append(broker.topic, aggregate, sequence).await;
            database.wait_until_drained().await;
        }
        for (relay, shutdown) in running {
            shutdown.cancel();
            relay.await.unwrap();
        }
        let records = broker.records();
        assert_eq!(
            first_sequences(&records)[aggregate.to_string().as_str()],
            (1..=33).collect::<Vec<i64>>()
        );
    })
    .await;
}
