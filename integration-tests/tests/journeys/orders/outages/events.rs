//! Without Kafka nobody hears of what has happened: what is done stays done, the order says what it waits for, and goes on afterwards.

use reqwest::Method;
use serde_json::Value;
use wathiq_local::journey::api::text;
use wathiq_local::journey::order::{self, desk, payer};

use super::{finish, numbered, produce, says};
use crate::orders::all;
use crate::pages::{page, texts};
use crate::stage::Stage;

/// Orders that go on while Kafka is down: one is paid, one is sealed, one is delivered.
struct Three {
    to_pay: Value,
    to_seal: Value,
    posted: Value,
}

pub(super) async fn kafka_is_down(stage: &mut Stage) {
    let three = prepare(stage).await;
    stage.stack.stop("kafka").await.unwrap();
    pays(stage, &three.to_pay).await;
    seals(stage, &three.to_seal).await;
    delivers(stage, &three.posted).await;
    stage.stack.restart("kafka").await.unwrap();
    for (order, state) in [
        (&three.to_pay, "paid"),
        (&three.to_seal, "produced"),
        (&three.posted, "delivered"),
    ] {
        stage
            .order_until(order, state, |order| all(order, state))
            .await
            .unwrap();
    }
    finish(stage, &three.to_seal).await;
}

async fn prepare(stage: &Stage) -> Three {
    let (to_pay, _) = stage.payable("202").await.unwrap();
    let citizen = &stage.cast.citizen_session;
    let digitised = stage.order_digitised().await.unwrap();
    let id = text(&digitised, "/order_id").unwrap();
    let to_seal = order::pay_order(citizen, id, payer::MOROCCAN).await.unwrap();
    let line = text(&to_seal, "/lines/0/line_id").unwrap();
    let (registrar, office) = (&stage.cast.registrar_session, &stage.cast.office.office_id);
    desk::prepare(registrar, office, &[line]).await.unwrap();

    let order = stage.paid("207").await.unwrap();
    produce(stage, &order).await;
    let order = numbered(stage, &order).await;
    let number = text(&order, "/parcels/0/tracking_number").unwrap();
    desk::hand_over(&stage.cast.agent_session, office, number)
        .await
        .unwrap();
    let posted = stage
        .order_until(&order, "its hand-over", |order| all(order, "handed_over"))
        .await
        .unwrap();
    Three {
        to_pay,
        to_seal,
        posted,
    }
}

/// The money does not wait for Kafka, and nobody is asked to pay again.
async fn pays(stage: &Stage, order: &Value) {
    let citizen = &stage.cast.citizen_session;
    let payable = text(order, "/payable_id").unwrap();
    payer::pay(citizen, payable, payer::MOROCCAN).await.unwrap();
    let payment = citizen.get(&format!("/v1/payments/{payable}")).await.unwrap();
    assert_eq!(payment["payable"]["state"], "paid", "{payment}");
    let waiting = stage.order_until(order, "nothing yet", |_| true).await.unwrap();
    assert!(all(&waiting, "awaiting_payment"), "{waiting}");
    assert_eq!(waiting["progress_code"], "PAYMENT_RECEIVED", "{waiting}");
    says(&waiting, "order_text.payment_received");
    let shown = shows(stage, order, &["order_text.payment_received"]).await;
    assert!(
        shown.contains("/receipt\"") && !shown.contains("/start\""),
        "{shown}"
    );
}

/// The officer has sealed, and the order waits to hear of it.
async fn seals(stage: &mut Stage, order: &Value) {
    let line = text(order, "/lines/0/line_id").unwrap();
    let (registrar, office) = (
        stage.cast.registrar_session.clone(),
        stage.cast.office.office_id.clone(),
    );
    let prepared = desk::prepared(&registrar, &office, &[line]).await.unwrap();
    stage.codes_again().await.unwrap();
    let pin = stage.cast.registrar_pin.clone();
    desk::seal(&registrar, &mut stage.cast.office.registrar, &prepared, &pin)
        .await
        .unwrap();
    let waiting = stage.order_until(order, "nothing yet", |_| true).await.unwrap();
    assert!(all(&waiting, "in_production"), "{waiting}");
    assert_eq!(
        waiting["lines"][0]["progress_code"], "WAITING_FOR_SEAL",
        "{waiting}"
    );
    says(&waiting["lines"][0], "line_progress.waiting_for_seal");
    shows(stage, order, &["line_progress.waiting_for_seal"]).await;
}

/// The post has delivered; anybody who asks the post by the number reads it, and the order still waits for it.
async fn delivers(stage: &Stage, order: &Value) {
    let number = text(order, "/parcels/0/tracking_number").unwrap();
    let (carrier, base) = (&stage.stack.description.carrier, stage.cast.anyone.base());
    order::deliver(carrier, base, number).await.unwrap();
    let path = format!("/v1/tracking/{number}");
    let tracked = stage.cast.anyone.get(&path).await.unwrap();
    assert_eq!(tracked["state"], "delivered", "{tracked}");
    let waiting = stage.order_until(order, "nothing yet", |_| true).await.unwrap();
    assert!(all(&waiting, "handed_over"), "{waiting}");
    assert_eq!(waiting["progress_code"], "ON_THE_WAY", "{waiting}");
    says(&waiting["lines"][0], "parcel_state.handed_over");
    shows(stage, order, &["parcel_state.handed_over"]).await;
}

/// The order's page says it in every language. Answers the page.
async fn shows(stage: &Stage, order: &Value, keys: &[&str]) -> String {
    let mut html = String::new();
    for language in ["fr", "en", "ar"] {
        let path = format!("/orders/{}?lang={language}", text(order, "/order_id").unwrap());
        let session = stage.cast.citizen_session.session();
        html = page(stage, Method::GET, &path, session).await.html;
        for key in keys {
            assert!(
                html.contains(&texts(language)(key)),
                "{key} in {language}: {html}"
            );
        }
    }
    html
}
