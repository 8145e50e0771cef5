//! The same over TLS with a real Kafka.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wathiq_outbox::testing::without_patience;
use wathiq_outbox::{Consumer, HandleError, KafkaConfig, Relay};

use crate::broker::{records, sequences};
use crate::consumer::{Effects, create_effects, effects};
use crate::harness::{Database, Kafka, fresh_name, stack, wait_until, with_database};

const PARTITIONS: i32 = 3;

fn kafka() -> Kafka {
    stack().kafka.expect("the test stack has Kafka")
}

fn config(principal: &str) -> KafkaConfig {
    let Kafka {
        brokers,
        certificates,
    } = kafka();
    KafkaConfig {
        brokers,
        ca: certificates.join("ca.pem"),
        certificate: certificates.join(format!("{principal}.pem")),
        key: certificates.join(format!("{principal}.key")),
    }
}

/// Settings of a client that is not ours.
fn plain_client(principal: &str) -> ClientConfig {
    let config = config(principal);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.brokers)
        .set("security.protocol", "ssl")
        .set("ssl.ca.location", text(&config.ca))
        .set("ssl.certificate.location", text(&config.certificate))
        .set("ssl.key.location", text(&config.key));
    client
}

async fn fresh_topic() -> &'static str {
    let topic = fresh_name();
    let admin: AdminClient<DefaultClientContext> = plain_client("operator").create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
    let wanted = [NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1))];
    for result in admin.create_topics(&wanted, &options).await.unwrap() {
        result.unwrap();
    }
    topic
}

fn relay(database: &Database, config: KafkaConfig) -> Relay {
    Relay::new(
        database.application.clone(),
        config,
        "wathiq/test",
        database.ambient.clone(),
    )
}

fn consumer(database: &Database, group: &'static str, instance: &str, topic: &str) -> Consumer {
    let pool = database.pool.clone();
    Consumer::new(
        group,
        format!("{group}.{instance}"),
        &[topic],
        pool,
        config("notification"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_cross_a_real_kafka_in_order_and_take_effect_once() {
    with_database(async |database| {
        let metrics = wathiq_chassis::telemetry::recorder().unwrap();
        create_effects(database).await;
        let (topic, group) = (fresh_topic().await, fresh_name());
        let aggregates: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
        let shutdown = CancellationToken::new();
        let relay = tokio::spawn(relay(database, config("identity")).run(shutdown.clone()));
        let replicas: Vec<_> = ["0", "1"]
            .map(|instance| {
                let consumer = consumer(database, group, instance, topic);
                tokio::spawn(consumer.run(Effects::fine(), shutdown.clone()))
            })
            .into();
        database.append_interleaved(topic, &aggregates, 20).await;
        database.wait_until_drained().await;
        wait_until("all effects are there", async || {
            database.count("SELECT count(*) FROM effects").await >= 120
        })
        .await;
        let lag = format!("consumer_lag{{consumer=\"{group}\",topic=\"{topic}\"}} 0");
        // A record is counted after its transaction has ended.
        let counted = format!("consumer_records_total{{consumer=\"{group}\",outcome=\"effect\"}} 120");
        wait_until("all is counted and the lag is measured", async || {
            let rendered = metrics.render();
            rendered.contains(&lag) && rendered.contains(&counted)
        })
        .await;
        let rendered = metrics.render();
        for name in ["outbox_unpublished ", "outbox_lag_seconds "] {
            assert!(rendered.contains(name), "{rendered}");
        }
        shutdown.cancel();
        relay.await.unwrap();
        for replica in replicas {
            replica.await.unwrap();
        }
        for aggregate in &aggregates {
            assert_eq!(
                effects(database, *aggregate).await,
                (1..=20).collect::<Vec<i64>>()
            );
        }
        let all = tokio::task::spawn_blocking(|| records(&plain_client("operator"), topic, PARTITIONS));
        for (aggregate, sequences) in sequences(&all.await.unwrap()) {
            assert_eq!(sequences, (1..=20).collect::<Vec<i64>>(), "{aggregate}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_died_is_back_at_once_under_the_same_instance() {
    with_database(async |database| {
        create_effects(database).await;
        let (topic, group, aggregate) = (fresh_topic().await, fresh_name(), Uuid::now_v7());
        let shutdown = CancellationToken::new();
        let relay = tokio::spawn(relay(database, config("identity")).run(shutdown.clone()));
        let first = tokio::spawn(
            consumer(database, group, "0", topic).run(Effects::fine(), CancellationToken::new()),
        );
        database.append(topic, aggregate, 1).await;
        wait_until("the first effect", async || {
            effects(database, aggregate).await == [1]
        })
        .await;
        first.abort();
        database.append(topic, aggregate, 2).await;
        let started = std::time::Instant::now();
        let second =
            tokio::spawn(consumer(database, group, "0", topic).run(Effects::fine(), shutdown.clone()));
        wait_until("the second effect", async || {
            effects(database, aggregate).await == [1, 2]
        })
        .await;
        // Its session time-out is 15 s: a member that had to wait for it would be later than this.
        assert!(
            started.elapsed() < Duration::from_secs(12),
            "{:?}",
            started.elapsed()
        );
        shutdown.cancel();
        relay.await.unwrap();
        second.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_goes_on_where_the_last_one_ended() {
    with_database(async |database| {
        create_effects(database).await;
        let (topic, group, aggregate) = (fresh_topic().await, fresh_name(), Uuid::now_v7());
        let (running, first_run) = (CancellationToken::new(), CancellationToken::new());
        let relay = tokio::spawn(relay(database, config("identity")).run(running.clone()));
        let first =
            tokio::spawn(consumer(database, group, "0", topic).run(Effects::fine(), first_run.clone()));
        database.append(topic, aggregate, 1).await;
        wait_until("the first effect", async || {
            effects(database, aggregate).await == [1]
        })
        .await;
        first_run.cancel();
        first.await.unwrap();
        // Without its inbox row the record would have a second effect if it came again.
        sqlx::query("DELETE FROM inbox")
            .execute(&mut database.connect_as_owner().await)
            .await
            .unwrap();
        database.append(topic, aggregate, 2).await;
        let second =
            tokio::spawn(consumer(database, group, "0", topic).run(Effects::fine(), running.clone()));
        wait_until("the second effect", async || {
            effects(database, aggregate).await.contains(&2)
        })
        .await;
        running.cancel();
        relay.await.unwrap();
        second.await.unwrap();
        assert_eq!(effects(database, aggregate).await, [1, 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_outlasts_patience_is_delivered_again() {
    with_database(async |database| {
        create_effects(database).await;
        let (topic, group, aggregate) = (fresh_topic().await, fresh_name(), Uuid::now_v7());
        let shutdown = CancellationToken::new();
        let relay = tokio::spawn(relay(database, config("identity")).run(shutdown.clone()));
        let handler = Effects::new(|record, attempt| {
            if record.sequence == 1 && attempt < 4 {
                return Err(HandleError::infrastructure("the mail server does not answer"));
            }
            Ok(())
        });
        let first = database.append(topic, aggregate, 1).await;
        database.append(topic, aggregate, 2).await;
        let consumer = without_patience(consumer(database, group, "0", topic));
        let consumer = tokio::spawn(consumer.run(handler.clone(), shutdown.clone()));
        wait_until("both effects", async || {
            effects(database, aggregate).await.len() == 2
        })
        .await;
        shutdown.cancel();
        relay.await.unwrap();
        consumer.await.unwrap();
        assert_eq!(effects(database, aggregate).await, [1, 2]);
        assert_eq!(handler.attempts(first), 4);
        assert_eq!(database.count("SELECT count(*) FROM parked").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_principal_without_the_right_publishes_nothing_and_a_new_certificate_is_taken_up() {
    with_database(async |database| {
        let (topic, aggregate) = (fresh_topic().await, Uuid::now_v7());
        let folder = std::env::temp_dir().join(fresh_name());
        std::fs::create_dir(&folder).unwrap();
        let mine = install(&folder, &config("auditor"));
        let shutdown = CancellationToken::new();
        let relay = tokio::spawn(relay(database, mine).run(shutdown.clone()));
        for sequence in 1..=3 {
            database.append(topic, aggregate, sequence).await;
        }
        // A refused relay gives up its connection and comes back: the server sees more than one process of
        // it.
        let mut processes = std::collections::HashSet::new();
        wait_until("the relay was refused", async || {
            let rows: Vec<(i32,)> = sqlx::query_as(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .fetch_all(&database.pool)
            .await
            .unwrap();
            processes.extend(rows);
            processes.len() > 1
        })
        .await;
        assert_eq!(database.unpublished().await, 3);
        install(&folder, &config("identity"));
        database.wait_until_drained().await;
        shutdown.cancel();
        relay.await.unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let all = tokio::task::spawn_blocking(|| records(&plain_client("operator"), topic, PARTITIONS));
        assert_eq!(
            sequences(&all.await.unwrap())[aggregate.to_string().as_str()],
            [1, 2, 3]
        );
    })
    .await;
}

/// Copies the certificate files to a place where they can be replaced.
fn install(folder: &Path, config: &KafkaConfig) -> KafkaConfig {
    let copy = |file: &Path, name: &str| -> PathBuf {
        let target = folder.join(name);
        std::fs::copy(file, &target).unwrap();
        target
    };
    KafkaConfig {
        brokers: config.brokers.clone(),
        ca: copy(&config.ca, "ca.pem"),
        certificate: copy(&config.certificate, "tls.pem"),
        key: copy(&config.key, "tls.key"),
    }
}
