//! Kafka refuses, disappears, and the relay dies at the worst moment: repeats are allowed, losses and
//! overtaking are not.

use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use uuid::Uuid;
use wathiq_outbox::NewEvent;

use crate::broker::{Broker, first_sequences, sequences};
use crate::harness::{event, wait_until, with_database};
use crate::relay::start;

const FINE: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
const REFUSED: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
const TRANSIENT: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
const CUT: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT;

#[tokio::test]
async fn only_the_acknowledged_prefix_is_marked_and_the_rest_follows_in_order() {
    with_database(async |database| {
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        for sequence in 1..=5 {
            database.append(broker.topic, aggregate, sequence).await;
        }
        let refusals: Vec<RDKafkaRespErr> = [FINE, FINE]
            .into_iter()
            .chain(std::iter::repeat_n(REFUSED, 1000))
            .collect();
        broker.cluster.request_errors(RDKafkaApiKey::Produce, &refusals);
        let (relay, shutdown) = start(database, &broker, "wathiq/test");
        wait_until("two events are marked", async || {
            database.unpublished().await == 3
        })
        .await;
        let marked = "SELECT max(sequence) FROM outbox WHERE published_at IS NOT NULL";
        assert_eq!(database.count(marked).await, 2);
        broker.cluster.clear_request_errors(RDKafkaApiKey::Produce);
        database.wait_until_drained().await;
        shutdown.cancel();
        relay.await.unwrap();
        assert_eq!(
            sequences(&broker.records())[aggregate.to_string().as_str()],
            [1, 2, 3, 4, 5]
        );
    })
    .await;
}

#[tokio::test]
async fn an_outage_delays_and_loses_nothing() {
    with_database(async |database| {
        let broker = Broker::start();
        let aggregates: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
        database.append_interleaved(broker.topic, &aggregates, 3).await;
        let (relay, shutdown) = start(database, &broker, "wathiq/test");
        database.wait_until_drained().await;

        broker.cluster.broker_down(1).unwrap();
        for aggregate in &aggregates {
            database.append(broker.topic, *aggregate, 4).await;
            database.append(broker.topic, *aggregate, 5).await;
        }
        // A relay that failed to deliver gives up its connection and with it the lock.
        wait_until("the relay has purged and given up the lock", async || {
            database
                .count(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                )
                .await
                == 0
        })
        .await;
        assert_eq!(database.unpublished().await, 6);
        broker.cluster.broker_up(1).unwrap();
        database.wait_until_drained().await;
        shutdown.cancel();
        relay.await.unwrap();
        let records = broker.records();
        for (aggregate, sequences) in first_sequences(&records) {
            assert_eq!(sequences, [1, 2, 3, 4, 5], "{aggregate}");
        }
    })
    .await;
}

#[tokio::test]
async fn whatever_kafka_answers_no_event_overtakes_one_of_its_aggregate() {
    with_database(async |database| {
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        for sequence in 1..=7 {
            // So large that no two records share a request, and each gets an answer of its own. The mock
            // cluster keeps the last 5 MB of a partition.
            let payload = vec![7; 512 * 1024];
            let event = NewEvent {
                payload,
                ..event(broker.topic, aggregate, sequence)
            };
            database.append_event(event).await;
        }
        let answers = [
            FINE, TRANSIENT, FINE, REFUSED, CUT, FINE, REFUSED, TRANSIENT, CUT, FINE, FINE, REFUSED,
        ];
        let answers: Vec<RDKafkaRespErr> = answers.into_iter().cycle().take(20).collect();
        broker.cluster.request_errors(RDKafkaApiKey::Produce, &answers);
        let (relay, shutdown) = start(database, &broker, "wathiq/test");
        database.wait_until_drained().await;
        shutdown.cancel();
        relay.await.unwrap();
        let records = broker.records();
        let firsts = first_sequences(&records);
        assert_eq!(firsts[aggregate.to_string().as_str()], [1, 2, 3, 4, 5, 6, 7]);
    })
    .await;
}

#[tokio::test]
async fn a_crash_between_sending_and_marking_repeats_and_keeps_the_order() {
    with_database(async |database| {
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        let first = database.append(broker.topic, aggregate, 1).await;
        database.append(broker.topic, aggregate, 2).await;

        // The mark waits for this lock, so that the relay is killed after Kafka's acknowledgement and before
        // its mark.
        let mut owner = database.connect_as_owner().await;
        sqlx::raw_sql("BEGIN; SELECT FROM outbox FOR UPDATE")
            .execute(&mut owner)
            .await
            .unwrap();
        let (relay, _) = start(database, &broker, "wathiq/dies");
        let mut superuser = database.connect_as_superuser().await;
        wait_until("the mark waits", async || {
            let (waiting,): (i64,) = sqlx::query_as(
                "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'
                     AND query LIKE 'UPDATE outbox%'",
            )
            .fetch_one(&mut superuser)
            .await
            .unwrap();
            waiting == 1
        })
        .await;
        assert_eq!(broker.records().len(), 2);
        relay.abort();
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE '%outbox relay'",
        )
        .execute(&mut superuser)
        .await
        .unwrap();
        sqlx::raw_sql("ROLLBACK").execute(&mut owner).await.unwrap();

        database.append(broker.topic, aggregate, 3).await;
        let (relay, shutdown) = start(database, &broker, "wathiq/lives");
        database.wait_until_drained().await;
        shutdown.cancel();
        relay.await.unwrap();
        let records = broker.records();
        assert_eq!(
            sequences(&records)[aggregate.to_string().as_str()],
            [1, 2, 1, 2, 3]
        );
        assert_eq!(records[2].headers["ce_id"], first.to_string());
        assert_eq!(records[2].headers["ce_source"], "wathiq/lives");
    })
    .await;
}
