//! Facts enter the outbox with the transaction that makes them true.

use sqlx::Connection;
use uuid::Uuid;
use wathiq_outbox::testing::{StoredEvent, assert_drained, drain, events};
use wathiq_outbox::{NewEvent, OutboxError, append, append_all};

use crate::harness::{event, fresh_name, with_database};

#[derive(Clone, PartialEq, prost::Message)]
struct Counted {
    #[prost(int64, tag = "1")]
    number: i64,
}

impl prost::Name for Counted {
    const NAME: &'static str = "Counted";
    const PACKAGE: &'static str = "wathiq.test.v1";
}

#[tokio::test]
async fn an_event_is_there_after_the_commit_and_not_after_a_rollback() {
    with_database(async |database| {
        let (topic, aggregate) = (fresh_name(), Uuid::now_v7());
        let mut conn = database.connect().await;
        let mut transaction = conn.begin().await.unwrap();
        append(&mut transaction, &database.ambient, event(topic, aggregate, 1))
            .await
            .unwrap();
        transaction.rollback().await.unwrap();
        assert_eq!(events(&mut conn).await, []);

        let message = Counted { number: 7 };
        append(
            &mut conn,
            &database.ambient,
            NewEvent::of(topic, aggregate, 1, &message),
        )
        .await
        .unwrap();
        let stored: [StoredEvent; 1] = events(&mut conn).await.try_into().unwrap();
        assert_eq!(stored[0].event_type, "wathiq.test.v1.Counted");
        assert_eq!(stored[0].decode::<Counted>(), message);
        assert_eq!((stored[0].aggregate_id, stored[0].sequence), (aggregate, 1));
    })
    .await;
}

#[tokio::test]
async fn events_of_one_statement_keep_their_order() {
    with_database(async |database| {
        let topic = fresh_name();
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        // Neither the order of ids nor that of versions across aggregates.
        let places = [(other, 5), (one, 1), (other, 6), (one, 2)];
        let all: Vec<NewEvent> = places
            .iter()
            .map(|(aggregate, sequence)| event(topic, *aggregate, *sequence))
            .collect();
        let mut conn = database.connect().await;
        append_all(&mut conn, &database.ambient, &all).await.unwrap();
        let stored = events(&mut conn).await;
        let found: Vec<(Uuid, i64)> = stored
            .iter()
            .map(|event| (event.aggregate_id, event.sequence))
            .collect();
        assert_eq!(found, places);

        let again = append_all(
            &mut conn,
            &database.ambient,
            &[event(topic, one, 3), event(topic, one, 2)],
        )
        .await;
        assert!(
            matches!(again, Err(OutboxError::SequenceTaken { .. })),
            "{again:?}"
        );
        assert_eq!(events(&mut conn).await.len(), places.len());
    })
    .await;
}

#[tokio::test]
async fn one_event_a_version() {
    with_database(async |database| {
        let (topic, aggregate) = (fresh_name(), Uuid::now_v7());
        database.append(topic, aggregate, 3).await;
        let mut conn = database.connect().await;
        let error = append(&mut conn, &database.ambient, event(topic, aggregate, 3))
            .await
            .unwrap_err();
        assert!(matches!(
            error,
            OutboxError::SequenceTaken { detail } if detail.contains(&format!("{aggregate}, 3)"))
        ));
        append(&mut conn, &database.ambient, event(topic, Uuid::now_v7(), 3))
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_event_that_kafka_would_refuse_is_refused_at_once() {
    with_database(async |database| {
        let mut conn = database.connect().await;
        let mut large = event(fresh_name(), Uuid::now_v7(), 1);
        large.payload = vec![0; 512 * 1024 + 1];
        let error = append(&mut conn, &database.ambient, large.clone())
            .await
            .unwrap_err();
        assert!(matches!(error, OutboxError::TooLarge { size: 524_289, .. }));
        large.payload.pop();
        append(&mut conn, &database.ambient, large).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_a_test_leaves_unpublished_is_named() {
    with_database(async |database| {
        let (topic, aggregate) = (fresh_name(), Uuid::now_v7());
        database.append(topic, aggregate, 1).await;
        database.append(topic, aggregate, 2).await;
        let mut conn = database.connect().await;
        let task = tokio::spawn(async move { assert_drained(&mut database.connect().await).await });
        let panic = task.await.unwrap_err().into_panic();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(
            text.contains(&format!("wathiq.test.v1.Happened 2 of {aggregate}")),
            "{text}"
        );

        let sequences: Vec<i64> = drain(&mut conn)
            .await
            .iter()
            .map(|event| event.sequence)
            .collect();
        assert_eq!(sequences, [1, 2]);
        assert_drained(&mut conn).await;
        assert_eq!(drain(&mut conn).await, []);
    })
    .await;
}
