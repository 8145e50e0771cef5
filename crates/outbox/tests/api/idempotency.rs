//! One command, one effect.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use futures::future::join_all;
use uuid::Uuid;
use wathiq_chassis::{Ambient, ManualClock, SystemRandom};
use wathiq_outbox::idempotency::{Claim, Command, IdempotencyError, claim, complete, forget_expired};

use crate::harness::{Database, with_database};

fn command(request_id: Uuid, hash: u8) -> Command {
    Command {
        principal: "person:x".to_owned(),
        method: "/wathiq.test.v1.S/M",
        request_id,
        hash: [hash; 32],
    }
}

/// Claims, has an effect when the claim is new, completes; the answer is the claim.
async fn run(database: &Database, command: &Command, response: Option<&[u8]>) -> Claim {
    let mut transaction = database.pool.begin().await.unwrap();
    let claimed = claim(&mut transaction, &database.ambient, command).await.unwrap();
    if claimed == Claim::New {
        sqlx::query("INSERT INTO inbox (consumer, event_id) VALUES ('effect', gen_random_uuid())")
            .execute(&mut *transaction)
            .await
            .unwrap();
        complete(&mut transaction, command, response).await.unwrap();
    }
    transaction.commit().await.unwrap();
    claimed
}

async fn effects(database: &Database) -> i64 {
    database
        .count("SELECT count(*) FROM inbox WHERE consumer = 'effect'")
        .await
}

#[tokio::test]
async fn a_repeat_gets_the_stored_response() {
    with_database(async |database| {
        let command = command(Uuid::now_v7(), 1);
        assert_eq!(run(database, &command, Some(b"answer")).await, Claim::New);
        assert_eq!(
            run(database, &command, Some(b"other")).await,
            Claim::Done(b"answer".to_vec())
        );
        assert_eq!(effects(database).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_response_with_a_secret_is_not_stored() {
    with_database(async |database| {
        let command = command(Uuid::now_v7(), 1);
        run(database, &command, None).await;
        assert_eq!(run(database, &command, None).await, Claim::Done(Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn the_same_id_for_another_request_is_refused() {
    with_database(async |database| {
        let id = Uuid::now_v7();
        run(database, &command(id, 1), Some(b"answer")).await;
        let mut conn = database.connect().await;
        let error = claim(&mut conn, &database.ambient, &command(id, 2))
            .await
            .unwrap_err();
        assert!(matches!(error, IdempotencyError::RequestIdReused { request_id } if request_id == id));
    })
    .await;
}

#[tokio::test]
async fn another_principal_or_method_is_another_command() {
    with_database(async |database| {
        let first = command(Uuid::now_v7(), 1);
        run(database, &first, Some(b"answer")).await;
        let other_principal = Command {
            principal: "person:y".to_owned(),
            ..first.clone()
        };
        let other_method = Command {
            method: "/wathiq.test.v1.S/N",
            ..first.clone()
        };
        assert_eq!(run(database, &other_principal, None).await, Claim::New);
        assert_eq!(run(database, &other_method, None).await, Claim::New);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_concurrent_repeats_one_has_an_effect() {
    with_database(async |database| {
        let command = command(Uuid::now_v7(), 1);
        let claims = join_all((0..32).map(|_| run(database, &command, Some(b"answer")))).await;
        assert_eq!(claims.iter().filter(|&claim| *claim == Claim::New).count(), 1);
        assert_eq!(
            claims
                .iter()
                .filter(|&claim| *claim == Claim::Done(b"answer".to_vec()))
                .count(),
            31
        );
        assert_eq!(effects(database).await, 1);
    })
    .await;
}

#[tokio::test]
async fn after_a_rollback_the_waiting_repeat_does_the_work() {
    with_database(async |database| {
        let command = command(Uuid::now_v7(), 1);
        let mut first = database.pool.begin().await.unwrap();
        assert_eq!(
            claim(&mut first, &database.ambient, &command).await.unwrap(),
            Claim::New
        );
        let waiting = tokio::spawn({
            let command = command.clone();
            async move { run(database, &command, Some(b"second")).await }
        });
        crate::harness::wait_until("the repeat waits for the first", async || {
            database
                .count("SELECT count(*) FROM pg_locks WHERE NOT granted")
                .await
                > 0
        })
        .await;
        first.rollback().await.unwrap();
        assert_eq!(waiting.await.unwrap(), Claim::New);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_that_left_its_trace_is_decided_anew() {
    with_database(async |database| {
        let command = command(Uuid::now_v7(), 1);
        let mut transaction = database.pool.begin().await.unwrap();
        claim(&mut transaction, &database.ambient, &command)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(run(database, &command, Some(b"answer")).await, Claim::New);
        assert_eq!(
            run(database, &command, None).await,
            Claim::Done(b"answer".to_vec())
        );
    })
    .await;
}

#[tokio::test]
async fn completing_without_a_claim_is_an_error() {
    with_database(async |database| {
        let mut conn = database.connect().await;
        let command = command(Uuid::now_v7(), 1);
        let error = complete(&mut conn, &command, None).await.unwrap_err();
        assert!(matches!(error, IdempotencyError::NotClaimed { .. }));
    })
    .await;
}

#[tokio::test]
async fn a_request_id_is_forgotten_after_a_day() {
    with_database(async |database| {
        let clock = Arc::new(ManualClock::new(
            DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
        ));
        let ambient = Ambient {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
        };
        let mut conn = database.connect().await;
        let id = Uuid::now_v7();
        claim(&mut conn, &ambient, &command(id, 1)).await.unwrap();
        complete(&mut conn, &command(id, 1), Some(b"answer"))
            .await
            .unwrap();

        clock.advance(TimeDelta::hours(24));
        assert_eq!(forget_expired(&mut conn, &ambient).await.unwrap(), 0);
        assert_eq!(
            claim(&mut conn, &ambient, &command(id, 1)).await.unwrap(),
            Claim::Done(b"answer".to_vec())
        );

        clock.advance(TimeDelta::seconds(1));
        assert_eq!(
            claim(&mut conn, &ambient, &command(id, 2)).await.unwrap(),
            Claim::New
        );

        clock.advance(TimeDelta::hours(25));
        assert_eq!(forget_expired(&mut conn, &ambient).await.unwrap(), 1);
    })
    .await;
}

#[test]
fn the_hash_is_of_what_is_asked() {
    let id = Uuid::nil();
    let of = |text: &str| Command::new("service:x", "/m", id, &text.to_owned()).hash;
    assert_eq!(of("a"), of("a"));
    assert_ne!(of("a"), of("b"));
}
