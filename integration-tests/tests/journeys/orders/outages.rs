//! When a service that an order needs is down or killed: the order waits, says so, and finishes afterwards.

use serde_json::{Value, json};
use wathiq_local::journey::api::text;
use wathiq_local::journey::order::{self, desk, payer, registry};
use wathiq_local::link::Flow;
use wathiq_local::stack::Options;

use super::all;
use crate::stage::{self, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_waits_says_so_and_finishes() {
    let mut stage = stage::open(Options {
        replicas: [("civil-registry-order".to_owned(), 2), ("payment".to_owned(), 2)].into(),
        ..Options::default()
    })
    .await
    .unwrap();
    payment_is_down(&mut stage).await;
    kafka_is_down(&mut stage).await;
    the_post_is_down(&mut stage).await;
    signature_is_down(&mut stage).await;
    the_provider_is_down(&mut stage).await;
    killed_at_every_step(&mut stage).await;
    stage.balanced().await.unwrap();
}

async fn payment_is_down(stage: &mut Stage) {
    for process in ["payment", "payment-2"] {
        stage.stack.kill(process).await.unwrap();
    }
    let order = stage.order_one("201").await.unwrap();
    assert_eq!(order["payable_id"], Value::Null);
    assert_eq!(order["progress_code"], "WAITING_FOR_PAYMENT_SERVICE", "{order}");
    for process in ["payment", "payment-2"] {
        stage.stack.restart(process).await.unwrap();
    }
    let id = text(&order, "/order_id").unwrap();
    order::pay_order(&stage.cast.citizen_session, id, payer::MOROCCAN)
        .await
        .map_err(|error| stage::with_logs(error, &stage.stack))
        .unwrap();
}

async fn kafka_is_down(stage: &mut Stage) {
    let (order, payable) = stage.payable("202").await.unwrap();
    stage.stack.stop("kafka").await.unwrap();
    payer::pay(&stage.cast.citizen_session, &payable, payer::MOROCCAN)
        .await
        .unwrap();
    let payment = stage
        .cast
        .citizen_session
        .get(&format!("/v1/payments/{payable}"))
        .await
        .unwrap();
    assert_eq!(
        payment["payable"]["state"], "paid",
        "the money does not wait for Kafka"
    );
    stage.stack.restart("kafka").await.unwrap();
    stage
        .order_until(&order, "its payment", |order| all(order, "paid"))
        .await
        .unwrap();
}

/// Has the one line of a paid order made from paper.
async fn produce(stage: &Stage, order: &Value) {
    let (agent, office) = (&stage.cast.agent_session, &stage.cast.office.office_id);
    let line = text(order, "/lines/0/line_id").unwrap();
    desk::batch_sheet(agent, office, &[line]).await.unwrap();
    let officer = stage.officer_id().await.unwrap();
    let barcode = text(order, "/lines/0/line_reference").unwrap();
    desk::produce(&stage.cast.registrar_session, barcode, &officer)
        .await
        .unwrap();
}

async fn the_post_is_down(stage: &mut Stage) {
    let order = stage.paid("203").await.unwrap();
    stage.stack.kill("postal-shipping").await.unwrap();
    produce(stage, &order).await;
    let waits = |order: &Value| order["lines"][0]["progress_code"] == "WAITING_FOR_POSTAL_SERVICE";
    stage
        .order_until(&order, "what it waits for", waits)
        .await
        .unwrap();
    stage.stack.restart("postal-shipping").await.unwrap();
    finish(stage, &order).await;
}

/// From the number of the parcel to its delivery.
async fn finish(stage: &Stage, order: &Value) {
    let numbered = |order: &Value| order["parcels"][0]["tracking_number"].is_string();
    let order = stage.order_until(order, "its number", numbered).await.unwrap();
    let number = text(&order, "/parcels/0/tracking_number").unwrap();
    desk::hand_over(&stage.cast.agent_session, &stage.cast.office.office_id, number)
        .await
        .unwrap();
    order::deliver(&stage.stack.description.carrier, stage.cast.anyone.base(), number)
        .await
        .unwrap();
    stage
        .order_until(&order, "its delivery", |order| all(order, "delivered"))
        .await
        .unwrap();
}

async fn signature_is_down(stage: &mut Stage) {
    stage.digitise().await.unwrap();
    let office = stage.cast.office.office_id.clone();
    let act = (registry::OWN_YEAR, registry::OWN_NUMBER);
    let mut line = order::line("birth-full-copy", "arabic", &office, act, order::addressee());
    line["act"]["part"] = registry::OWN_PART.into();
    let placed = order::place(&stage.cast.citizen_session, &[line]).await.unwrap();
    let id = text(&placed, "/order_id").unwrap();
    let order = order::pay_order(&stage.cast.citizen_session, id, payer::MOROCCAN)
        .await
        .unwrap();
    let line = text(&order, "/lines/0/line_id").unwrap();

    stage.stack.kill("signature").await.unwrap();
    let registrar = stage.cast.registrar_session.clone();
    let body = json!({"line_ids": [line]});
    registrar
        .post("/v1/office/prepared-documents", &body)
        .await
        .unwrap();
    let waits = |order: &Value| order["lines"][0]["progress_code"] == "WAITING_FOR_SIGNATURE_SERVICE";
    stage
        .order_until(&order, "what it waits for", waits)
        .await
        .unwrap();
    stage.stack.restart("signature").await.unwrap();
    let prepared = desk::prepared(&registrar, &office, &[line]).await.unwrap();
    stage.codes_again().await.unwrap();
    let pin = stage.cast.registrar_pin.clone();
    desk::seal(&registrar, &mut stage.cast.office.registrar, &prepared, &pin)
        .await
        .unwrap();
    finish(stage, &order).await;
}

/// The money of a refused line waits for the provider, and goes back once.
async fn the_provider_is_down(stage: &mut Stage) {
    let order = stage.paid("205").await.unwrap();
    stage.stack.links.cmi.set(Flow::Cut);
    let line = text(&order, "/lines/0/line_id").unwrap();
    desk::refuse(&stage.cast.agent_session, line, "ACT_NOT_FOUND")
        .await
        .unwrap();
    let waits = |order: &Value| order["lines"][0]["progress_code"] == "WAITING_FOR_REFUND";
    stage
        .order_until(&order, "what it waits for", waits)
        .await
        .unwrap();
    stage.stack.links.cmi.set(Flow::Open);
    let order = stage
        .order_until(&order, "the refund", |order| all(order, "refunded"))
        .await
        .unwrap();
    assert_eq!(order["lines"][0]["refunded_centimes"], 2_000);
}

/// One replica of each is killed after every step; the other one goes on.
async fn killed_at_every_step(stage: &mut Stage) {
    let order = stage.order_one("204").await.unwrap();
    kill_and_restart(stage, "civil-registry-order").await;
    let id = text(&order, "/order_id").unwrap();
    let order = order::pay_order(&stage.cast.citizen_session, id, payer::MOROCCAN)
        .await
        .unwrap();
    kill_and_restart(stage, "payment").await;
    produce(stage, &order).await;
    kill_and_restart(stage, "civil-registry-order-2").await;
    finish(stage, &order).await;
}

async fn kill_and_restart(stage: &mut Stage, process: &str) {
    stage.stack.kill(process).await.unwrap();
    stage.stack.restart(process).await.unwrap();
}
