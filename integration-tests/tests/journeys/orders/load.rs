//! Many orders at once over two replicas of each service; every event late, backwards and twice.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use futures::future::{join_all, try_join_all};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use reqwest::header::IF_MATCH;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};
use wathiq_local::journey::api::{Api, new_key, text};
use wathiq_local::journey::order::{self, desk, payer};
use wathiq_local::journey::people;
use wathiq_local::stack::Options;
use wathiq_local::wait;

use super::{BOUND, all, told};
use crate::bad_input::count;
use crate::calls::{call, keyed, receive};
use crate::stage::{self, Stage};

/// Orders placed at once.
const ORDERS: usize = 64;
/// Of these, so many are paid; the others are cancelled.
const PAID: usize = 16;
/// Who tells what moves orders.
const TELLERS: [&str; 3] = ["payment", "postal-shipping", "signature"];
/// Replicas that hear it.
const HEARERS: [&str; 2] = ["civil-registry-order", "civil-registry-order-2"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_orders_at_once_and_every_event_backwards_and_twice() {
    let replicas = ["civil-registry-order", "payment", "postal-shipping", "gateway"];
    let mut stage = stage::open(Options {
        replicas: replicas.into_iter().map(|name| (name.to_owned(), 2)).collect(),
        environment: stage::without_limits(),
        ..Options::default()
    })
    .await
    .unwrap();
    let placed = place_all(&stage).await;
    let (paid, given_up) = placed.split_at(PAID);
    cancel_all(&stage, given_up).await.unwrap();
    pay_all(&mut stage, paid).await.unwrap();
    let paid = produce_all(&stage, paid).await.unwrap();
    deliver_all(&mut stage, &paid).await.unwrap();
    let before = snapshot(&stage, &placed).await.unwrap();
    tell_all_again(&stage).await.unwrap();
    let after = snapshot(&stage, &placed).await.unwrap();
    assert_eq!(before, after, "a second telling changes something");
    stage.balanced().await.unwrap();
    for process in HEARERS.into_iter().chain(["payment-2", "postal-shipping-2"]) {
        let url = format!("{}/metrics", stage.stack.operations(process).unwrap());
        let metrics = reqwest::get(url).await.unwrap().text().await.unwrap();
        assert!(
            metrics.contains("rpc_server_call_duration_seconds_count"),
            "{process} took no call"
        );
    }
}

/// Every order at once, each sent twice under one key, once through each gateway.
async fn place_all(stage: &Stage) -> Vec<Value> {
    let citizen = &stage.cast.citizen_session;
    let other = citizen.at(&format!("http://{}", stage.stack.address("gateway-2").unwrap()));
    let office = &stage.cast.office.office_id;
    let placings = (0..ORDERS).map(|number| {
        let act = format!("{}", 1_000 + number);
        let line = order::line(
            "birth-extract",
            "bilingual",
            office,
            (1991, &act),
            order::addressee(),
        );
        let body = json!({
            "lines": [line], "addressee": order::addressee(), "address": order::address(),
            "expected_total_centimes": 2_000,
        });
        let (key, other) = (new_key(), &other);
        async move {
            let twice = [citizen, other].map(|api| placing(api, &key, &body));
            let [first, second] = <[Value; 2]>::try_from(try_join_all(twice).await.unwrap()).unwrap();
            assert_eq!(first["order_id"], second["order_id"], "one key, one order");
            first
        }
    });
    let placed = join_all(placings).await;
    let references: BTreeSet<&str> = placed
        .iter()
        .filter_map(|order| order["reference"].as_str())
        .collect();
    assert_eq!(references.len(), ORDERS, "each order has a reference of its own");
    let orders = "SELECT count(*) FROM customer_order";
    assert_eq!(count(stage, "civil-registry-order", orders).await, ORDERS as i64);
    placed
}

/// Sends an order until it is taken: while its twin is under way, the answer is to come again.
async fn placing(api: &Api, key: &str, body: &Value) -> Result<Value> {
    wait::until("a place for the order", BOUND, async || {
        let answer = keyed(api, Method::POST, "/v1/civil-status/orders", key, Some(body)).await;
        ensure!(answer.status == 201, "{}", answer.said());
        Ok(answer.body)
    })
    .await
}

async fn cancel_all(stage: &Stage, orders: &[Value]) -> Result<()> {
    let citizen = &stage.cast.citizen_session;
    let cancellations = orders.iter().map(|placed| async move {
        let path = format!("/v1/civil-status/orders/{}", text(placed, "/order_id")?);
        wait::until("the cancellation", BOUND, async || {
            let etag = citizen.get(&path).await?["etag"].clone();
            let request = citizen
                .request(Method::POST, &format!("{path}/cancellation"))
                .header("idempotency-key", new_key())
                .header(IF_MATCH, format!("\"{}\"", etag.as_str().unwrap_or_default()))
                .json(&json!({"line_ids": []}));
            let answer = receive(request).await;
            ensure!(answer.status == 200, "{}", answer.said());
            Ok(())
        })
        .await
    });
    try_join_all(cancellations).await?;
    Ok(())
}

/// The payments are told while Kafka is down, and reach the orders backwards.
async fn pay_all(stage: &mut Stage, orders: &[Value]) -> Result<()> {
    let ready = orders
        .iter()
        .map(|placed| stage.order_until(placed, "its payable", |order| order["payable_id"].is_string()));
    let ready = try_join_all(ready).await?;
    stage.stack.stop("kafka").await?;
    stream::iter(&ready)
        .map(|order| async {
            payer::pay(
                &stage.cast.citizen_session,
                text(order, "/payable_id")?,
                payer::MOROCCAN,
            )
            .await
        })
        .buffer_unordered(8)
        .try_collect::<Vec<_>>()
        .await?;
    backwards(stage, "payment").await?;
    stage.stack.restart("kafka").await?;
    let until = ready
        .iter()
        .map(|order| stage.order_until(order, "its payment", |order| all(order, "paid")));
    try_join_all(until).await.map(|_| ())
}

/// Every act is made from paper and scanned, each barcode twice at once; every order has a parcel with a number of its own.
async fn produce_all(stage: &Stage, orders: &[Value]) -> Result<Vec<Value>> {
    let lines = orders
        .iter()
        .map(|order| text(order, "/lines/0/line_id"))
        .collect::<Result<Vec<_>>>()?;
    desk::batch_sheet(&stage.cast.agent_session, &stage.cast.office.office_id, &lines).await?;
    let officer = stage.officer_id().await?;
    let registrar = &stage.cast.registrar_session;
    let scans = orders.iter().map(|order| {
        let body =
            json!({"line_reference": order["lines"][0]["line_reference"], "officer_person_id": officer});
        async move {
            let scan = || call(registrar, Method::POST, "/v1/office/productions", Some(&body));
            let (first, second) = tokio::join!(scan(), scan());
            let mut statuses = [first.status, second.status];
            statuses.sort_unstable();
            ensure!(
                statuses[0] == 200 && statuses[1] != 200,
                "{} and {}",
                first.said(),
                second.said()
            );
            Ok(())
        }
    });
    try_join_all(scans).await?;
    let numbered = |order: &Value| order["parcels"][0]["tracking_number"].is_string();
    let orders = try_join_all(
        orders
            .iter()
            .map(|order| stage.order_until(order, "its number", numbered)),
    )
    .await?;
    let numbers: BTreeSet<&str> = orders
        .iter()
        .filter_map(|order| order["parcels"][0]["tracking_number"].as_str())
        .collect();
    ensure!(numbers.len() == PAID, "{PAID} parcels have {numbers:?}");
    Ok(orders)
}

/// The carrier tells each event twice, the newest first, while Kafka is down; what follows reaches the orders backwards.
async fn deliver_all(stage: &mut Stage, orders: &[Value]) -> Result<()> {
    let number = |order: &Value| order["parcels"][0]["tracking_number"].clone();
    let body = json!({
        "office_id": stage.cast.office.office_id,
        "tracking_numbers": orders.iter().map(number).collect::<Vec<_>>(),
    });
    let handed = stage
        .cast
        .agent_session
        .post("/v1/office/hand-overs", &body)
        .await?;
    ensure!(handed["problems"] == json!([]), "{handed}");
    let handed = orders
        .iter()
        .map(|order| stage.order_until(order, "its hand-over", |order| all(order, "handed_over")));
    try_join_all(handed).await?;
    stage.stack.stop("kafka").await?;
    let recipient = people::citizen().name_latin.join(" ");
    let events = format!("{}/v1/carrier/events", stage.cast.anyone.base());
    let happening = json!({
        "happening": "delivered", "recipient_name": recipient, "document_kind": "CIN", "document_last_four": "3456",
        "copies": 2, "out_of_order": true, "url": events,
    });
    let (client, control) = (
        wathiq_local::http::client()?,
        &stage.stack.description.carrier.control,
    );
    for order in orders {
        let url = format!(
            "{control}/control/carrier/items/{}/play",
            text(order, "/parcels/0/tracking_number")?
        );
        let told: Vec<Value> = wait::until("the carrier", BOUND, async || {
            let answer = client
                .post(&url)
                .json(&happening)
                .send()
                .await?
                .error_for_status()?;
            Ok(answer.json().await?)
        })
        .await?;
        ensure!(
            told.len() > 2 && told.iter().all(|told| told["status"] == 200),
            "{told:?}"
        );
    }
    backwards(stage, "postal-shipping").await?;
    stage.stack.restart("kafka").await?;
    for order in orders {
        let order = stage
            .order_until(order, "its delivery", |order| all(order, "delivered"))
            .await?;
        ensure!(told(&order, "LinesDelivered") == 1, "{order}");
    }
    Ok(())
}

/// Enters a service's outbox past the triggers that keep it as it is.
async fn outbox(stage: &Stage, service: &str, change: &'static str) -> Result<()> {
    let mut connection = stage.stack.database(service).connect().await?;
    for sql in [
        "SET session_replication_role = replica",
        "ALTER TABLE outbox ALTER COLUMN id SET GENERATED BY DEFAULT",
        change,
    ] {
        sqlx::query(sql).execute(&mut connection).await?;
    }
    Ok(connection.close().await?)
}

/// What was not told yet is told in the opposite order.
async fn backwards(stage: &Stage, service: &str) -> Result<()> {
    let waiting = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
    ensure!(
        count(stage, service, waiting).await > 1,
        "{service} has nothing to tell"
    );
    outbox(
        stage,
        service,
        "UPDATE outbox SET id = -id WHERE published_at IS NULL",
    )
    .await
}

/// Everything is told once more, the newest first, and heard.
async fn tell_all_again(stage: &Stage) -> Result<()> {
    let before = heard(stage).await?;
    let mut events = 0.0;
    for service in TELLERS {
        outbox(stage, service, "UPDATE outbox SET id = -id, published_at = NULL").await?;
        let moving = "SELECT count(*) FROM outbox WHERE topic ~ '(payable|shipment|issued-document)'";
        events += count(stage, service, moving).await as f64;
    }
    wait::until("what is told again", BOUND, async || {
        let heard = heard(stage).await? - before;
        ensure!(heard >= events, "{heard} of {events} events were heard");
        Ok(())
    })
    .await
}

/// Records that civil-registry-order has taken so far.
async fn heard(stage: &Stage) -> Result<f64> {
    let mut sum = 0.0;
    for process in HEARERS {
        let url = format!("{}/metrics", stage.stack.operations(process)?);
        let metrics = reqwest::get(url).await?.text().await?;
        let counts = metrics
            .lines()
            .filter(|line| line.starts_with("consumer_records_total{"));
        for count in counts.filter_map(|line| line.rsplit(' ').next()) {
            sum += count.parse::<f64>().context("no count")?;
        }
    }
    Ok(sum)
}

/// How every order stands.
async fn snapshot(stage: &Stage, orders: &[Value]) -> Result<Vec<Value>> {
    let each = orders.iter().map(|order| async move {
        let path = format!("/v1/civil-status/orders/{}", text(order, "/order_id")?);
        stage.cast.citizen_session.get(&path).await
    });
    try_join_all(each).await
}
