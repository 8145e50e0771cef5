//! When a service that an order needs is down or killed: the order waits, says so, and finishes afterwards.

mod events;

use reqwest::header::ACCEPT_LANGUAGE;
use serde_json::{Value, json};
use wathiq_local::journey::api::text;
use wathiq_local::journey::order::payer::{Browser, Page};
use wathiq_local::journey::order::{self, desk, payer};
use wathiq_local::link::Flow;
use wathiq_local::stack::Options;

use super::all;
use crate::pages::{texts, words};
use crate::stage::{self, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_waits_says_so_and_finishes() {
    let mut stage = stage::open(Options {
        environment: stage::without_limits(),
        ..Options::default()
    })
    .await
    .unwrap();
    stage.digitise().await.unwrap();
    payment_is_down(&mut stage).await;
    payment_is_down_when_the_browser_comes_back(&mut stage).await;
    events::kafka_is_down(&mut stage).await;
    the_post_is_down(&mut stage).await;
    signature_is_down(&mut stage).await;
    the_provider_is_down(&mut stage).await;
    the_provider_says_nothing(&mut stage).await;
    stage.balanced().await.unwrap();
}

async fn payment_is_down(stage: &mut Stage) {
    stage.stack.kill("payment").await.unwrap();
    let order = stage.order_one("201").await.unwrap();
    assert_eq!(order["payable_id"], Value::Null);
    assert_eq!(order["progress_code"], "WAITING_FOR_PAYMENT_SERVICE", "{order}");
    says(&order, "line_progress.waiting_for_payment_service");
    stage.stack.restart("payment").await.unwrap();
    let id = text(&order, "/order_id").unwrap();
    order::pay_order(&stage.cast.citizen_session, id, payer::MOROCCAN)
        .await
        .map_err(|error| stage::with_logs(error, &stage.stack))
        .unwrap();
}

/// The payer comes back to a platform that cannot tell what was paid: the page says that the money is safe and where to look, and the
/// payment is heard of later.
async fn payment_is_down_when_the_browser_comes_back(stage: &mut Stage) {
    let (order, payable) = stage.payable("208").await.unwrap();
    let browser = Browser::new().unwrap();
    let page = payer::open(&stage.cast.citizen_session, &browser, &payable)
        .await
        .unwrap();
    stage.stack.kill("payment").await.unwrap();
    let back = payer::give_card(&browser, &page, payer::MOROCCAN).await.unwrap();
    let client = wathiq_local::http::client().unwrap();
    for language in ["ar", "fr", "en"] {
        let come = client.post(&back.action).header(ACCEPT_LANGUAGE, language);
        let shown = come
            .form(&back.fields)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        for key in ["pay.returned", "pay.returned_text", "pay.returned_orders"] {
            assert!(
                shown.contains(&texts(language)(key)),
                "{key} in {language}: {shown}"
            );
        }
    }
    stage.stack.restart("payment").await.unwrap();
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
    let waiting = stage
        .order_until(&order, "what it waits for", waits)
        .await
        .unwrap();
    says(&waiting["lines"][0], "line_progress.waiting_for_postal_service");
    stage.stack.restart("postal-shipping").await.unwrap();
    // The carrier is away when the office hands the parcel over: the list reaches it later.
    stage.stack.links.carrier.set(Flow::Cut);
    let order = numbered(stage, &order).await;
    let number = text(&order, "/parcels/0/tracking_number").unwrap();
    desk::hand_over(&stage.cast.agent_session, &stage.cast.office.office_id, number)
        .await
        .unwrap();
    let posted = stage
        .order_until(&order, "its hand-over", |order| all(order, "handed_over"))
        .await
        .unwrap();
    says(&posted["lines"][0], "parcel_state.handed_over");
    stage.stack.links.carrier.set(Flow::Open);
    deliver(stage, &order).await;
}

/// The order once its parcel has a number.
async fn numbered(stage: &Stage, order: &Value) -> Value {
    let numbered = |order: &Value| order["parcels"][0]["tracking_number"].is_string();
    stage.order_until(order, "its number", numbered).await.unwrap()
}

async fn deliver(stage: &Stage, order: &Value) {
    let number = text(order, "/parcels/0/tracking_number").unwrap();
    order::deliver(&stage.stack.description.carrier, stage.cast.anyone.base(), number)
        .await
        .unwrap();
    stage
        .order_until(order, "its delivery", |order| all(order, "delivered"))
        .await
        .unwrap();
}

/// From the number of the parcel to its delivery.
async fn finish(stage: &Stage, order: &Value) {
    let order = numbered(stage, order).await;
    let number = text(&order, "/parcels/0/tracking_number").unwrap();
    desk::hand_over(&stage.cast.agent_session, &stage.cast.office.office_id, number)
        .await
        .unwrap();
    deliver(stage, &order).await;
}

async fn signature_is_down(stage: &mut Stage) {
    let office = stage.cast.office.office_id.clone();
    let placed = stage.order_digitised().await.unwrap();
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
    let waiting = stage
        .order_until(&order, "what it waits for", waits)
        .await
        .unwrap();
    says(
        &waiting["lines"][0],
        "line_progress.waiting_for_signature_service",
    );
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
    let waiting = stage
        .order_until(&order, "what it waits for", waits)
        .await
        .unwrap();
    says(&waiting["lines"][0], "line_progress.waiting_for_refund");
    stage.stack.links.cmi.set(Flow::Open);
    let order = stage
        .order_until(&order, "the refund", |order| all(order, "refunded"))
        .await
        .unwrap();
    assert_eq!(order["lines"][0]["refunded_centimes"], 2_000);
}

/// The provider takes the money, but neither tells it nor answers: the order waits, and is paid once the provider answers.
async fn the_provider_says_nothing(stage: &mut Stage) {
    let (order, payable) = stage.payable("206").await.unwrap();
    let citizen = stage.cast.citizen_session.clone();
    let browser = Browser::new().unwrap();
    let page = payer::open(&citizen, &browser, &payable).await.unwrap();
    let oid = page
        .fields
        .iter()
        .find(|(name, _)| name == "oid")
        .unwrap()
        .1
        .clone();
    let faults = format!(
        "{}/control/cmi/orders/{oid}/faults",
        stage.stack.description.cmi.control
    );
    let client = wathiq_local::http::client().unwrap();
    let set = client
        .put(faults)
        .json(&json!({"callback_copies": 0}))
        .send()
        .await
        .unwrap();
    assert!(set.status().is_success());
    let back = payer::give_card(&browser, &page, payer::MOROCCAN).await.unwrap();
    // The card is given; from now on the provider cannot be asked.
    stage.stack.links.cmi.set(Flow::Cut);
    let Page::SentTo(to) = browser.post(&back, &[]).await.unwrap() else {
        panic!("the browser is not led to the order");
    };
    assert!(to.ends_with(text(&order, "/order_id").unwrap()), "{to}");
    let waiting = stage.order_until(&order, "nothing yet", |_| true).await.unwrap();
    assert_eq!(waiting["progress_code"], "WAITING_FOR_PAYMENT", "{waiting}");
    let payment = citizen.get(&format!("/v1/payments/{payable}")).await.unwrap();
    says(&payment["payable"]["attempts"][0], "attempt_text.confirming");
    stage.stack.links.cmi.set(Flow::Open);
    stage
        .order_until(&order, "its payment", |order| all(order, "paid"))
        .await
        .unwrap();
}

/// What people read of an order, a line or an attempt.
#[track_caller]
fn says(what: &Value, key: &str) {
    for language in ["ar", "fr", "en"] {
        let said = what["status_text"][language].as_str().unwrap_or_default();
        let expected = words(language)(key);
        assert!(said.contains(&expected), "{said}, not {expected}: {what}");
    }
}
