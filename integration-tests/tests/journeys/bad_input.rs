//! What is wrong in what people send: a clear error with its own reason, and nothing has changed.

mod certificates;
mod codes;
mod files;
mod requests;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use sqlx::{ConnectOptions, Connection};
use wathiq_local::journey::api::Api;
use wathiq_local::stack::Options;

use crate::calls::{Answer, receive};
use crate::stage::{self, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let options = Options {
        environment: stage::without_limits(),
        ..Options::default()
    };
    let mut stage = stage::open(options).await.unwrap();
    files::refused(&stage).await;
    requests::openings(&stage).await;
    requests::placements(&stage).await;
    requests::repeats(&stage).await;
    codes::confirmations(&mut stage).await;
    codes::sign_up_codes(&stage).await;
    certificates::expired(&mut stage).await;
}

/// What was said and what should have been, so that a failure tells of all cases.
#[derive(Default)]
pub(crate) struct Table(Vec<String>);

impl Table {
    pub(crate) fn add(&mut self, said: String, expected: &str, of: &Value) {
        if said != expected {
            self.0.push(format!("{said}, not {expected}: {of}"));
        }
    }

    #[track_caller]
    pub(crate) fn holds(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// Counts rows of a service's table as the superuser.
pub(crate) async fn count(stage: &Stage, service: &str, sql: &'static str) -> i64 {
    let mut connection = stage.stack.database(service).connect().await.unwrap();
    let count = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

/// Turns a row back or forward in time as the superuser, past the triggers that keep rows as they are.
async fn change(stage: &Stage, service: &str, sql: &'static str) {
    let mut connection = stage.stack.database(service).connect().await.unwrap();
    sqlx::query("SET session_replication_role = replica")
        .execute(&mut connection)
        .await
        .unwrap();
    let changed = sqlx::query(sql)
        .execute(&mut connection)
        .await
        .unwrap()
        .rows_affected();
    assert!(changed > 0, "{sql} changes nothing");
    connection.close().await.unwrap();
}

async fn upload(api: &Api, key: &str, media_type: &str, bytes: Vec<u8>) -> Answer {
    let request = api.request(Method::POST, "/v1/documents?file_name=a.pdf");
    receive(
        request
            .header("idempotency-key", key)
            .header(CONTENT_TYPE, media_type)
            .body(bytes),
    )
    .await
}
