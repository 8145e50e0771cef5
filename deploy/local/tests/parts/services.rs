//! Our services as processes on a test stack: replicas, `kill -9`, restart, and a cut connection.

use std::time::Duration;

use anyhow::ensure;
use rustix::process::Signal;
use sqlx::{ConnectOptions, Connection};
use wathiq_local::link::Flow;
use wathiq_local::stack::{Options, Stack};
use wathiq_local::{http, wait};

const BOUND: Duration = Duration::from_secs(40);

async fn ready(stack: &Stack, process: &str, expected: bool) {
    let url = format!("{}/readyz", stack.operations(process).unwrap());
    let client = http::client().unwrap();
    wait::until(process, BOUND, async || {
        let answer = client.get(&url).send().await?;
        ensure!(
            answer.status().is_success() == expected,
            "answers {}",
            answer.status()
        );
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn services_come_up_are_killed_and_cut_off_and_come_back() {
    let options = Options {
        replicas: [("signature".to_owned(), 2)].into(),
        ..Options::default()
    };
    let mut stack = Stack::start(options).await.unwrap();
    let processes = [
        "identity",
        "signature",
        "signature-2",
        "payment",
        "postal-shipping",
        "civil-registry-order",
        "notification",
        "gateway",
    ];
    for process in processes {
        ready(&stack, process, true).await;
    }
    let mut database = stack.database("signature").connect().await.unwrap();
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert!(tables > 5, "{tables} tables after the migrations");
    database.close().await.unwrap();

    stack.kill("signature-2").await.unwrap();
    assert!(stack.process("signature-2").is_err());
    ready(&stack, "signature", true).await;
    stack.restart("signature-2").await.unwrap();
    ready(&stack, "signature-2", true).await;

    stack.links.postgres.set(Flow::Cut);
    ready(&stack, "identity", false).await;
    stack.links.postgres.set(Flow::Open);
    ready(&stack, "identity", true).await;

    for process in processes {
        assert!(
            stack.stop(process).await.unwrap(),
            "{process} had to be killed:\n{}",
            stack.log(process)
        );
    }
    let kafka = stack.process("kafka").unwrap().clone();
    drop(stack);
    assert!(kafka.stop(Signal::KILL, Duration::from_secs(5)).await);
}
