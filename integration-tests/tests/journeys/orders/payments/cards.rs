//! Each test card of the sandbox, through the whole platform.

use serde_json::{Value, json};
use wathiq_local::journey::api::text;
use wathiq_local::journey::order::payer::{
    self, CODE, DECLINED, Form, INTERNATIONAL, MOROCCAN, THREE_D_SECURE, TIMED_OUT,
};
use wathiq_local::wait;

use super::{BOUND, Provider, oid, open_page};
use crate::orders::{all, told};
use crate::stage::Stage;

const EXPIRED: &str = "4000 0000 0000 0054";
const REFUSED: &str = "4000 0000 0000 0005";

pub(super) async fn each_card(stage: &Stage, provider: &Provider) {
    from_abroad(stage, provider).await;
    with_a_code(stage, provider).await;
    timed_out(stage, provider).await;
    declined_then_on_a_new_page(stage, provider).await;
}

/// A card from abroad, of which the provider tells three times at once.
async fn from_abroad(stage: &Stage, provider: &Provider) {
    let (order, payable) = stage.payable("111").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let oid = oid(&page);
    provider.faults(&oid, &json!({"callback_copies": 3})).await;
    let back = payer::give_card(&browser, &page, INTERNATIONAL).await.unwrap();
    browser.post(&back, &[]).await.unwrap();
    paid_once(stage, &order).await;
    provider.stands(&oid, &["C"]).await.unwrap();
}

/// A wrong code is a decline; after the right one the browser is faster than the provider.
async fn with_a_code(stage: &Stage, provider: &Provider) {
    let (order, payable) = stage.payable("112").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let oid = oid(&page);
    let asked = payer::give_card(&browser, &page, THREE_D_SECURE).await.unwrap();
    assert!(asked.action.ends_with("/code"), "{}", asked.action);
    let again = payer::give_code(&browser, &asked, "321").await.unwrap();
    is_asked_for_a_card(&again);
    declined_with(stage, &payable, "99").await;
    let asked = payer::give_card(&browser, &again, THREE_D_SECURE).await.unwrap();
    provider.faults(&oid, &json!({"callback_delay_ms": 2_000})).await;
    let back = payer::give_code(&browser, &asked, CODE).await.unwrap();
    browser.post(&back, &[]).await.unwrap();
    paid_once(stage, &order).await;
    provider.stands(&oid, &["C", "D"]).await.unwrap();
}

/// The card's bank does not answer, and in the end says no; asked again it does not answer either, and has agreed after all.
async fn timed_out(stage: &Stage, provider: &Provider) {
    let (order, payable) = stage.payable("113").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let oid = oid(&page);
    provider.faults(&oid, &json!({"bank_delay_ms": 200})).await;
    let again = payer::give_card(&browser, &page, TIMED_OUT).await.unwrap();
    is_asked_for_a_card(&again);
    declined_with(stage, &payable, "99").await;

    let late = json!({"bank_delay_ms": 3_000, "bank_approves_late": true});
    provider.faults(&oid, &late).await;
    let meanwhile = async {
        provider.stands(&oid, &["ERR", "PN"]).await.unwrap();
        let waiting = stage.order_until(&order, "nothing yet", |_| true).await.unwrap();
        assert!(all(&waiting, "awaiting_payment"), "{waiting}");
    };
    let (back, ()) = tokio::join!(payer::give_card(&browser, &again, TIMED_OUT), meanwhile);
    browser.post(&back.unwrap(), &[]).await.unwrap();
    paid_once(stage, &order).await;
    provider.stands(&oid, &["C", "ERR"]).await.unwrap();
    // Told once more, and late: nothing changes.
    provider.act(&oid, "callback").await;
    provider.stands(&oid, &["C", "ERR"]).await.unwrap();
    paid_once(stage, &order).await;
}

/// Each refusal is told by its code; then the payer begins anew, under another oid.
async fn declined_then_on_a_new_page(stage: &Stage, provider: &Provider) {
    let (order, payable) = stage.payable("114").await.unwrap();
    let (browser, mut page) = open_page(stage, &payable).await;
    let first = oid(&page);
    for (card, code) in [(DECLINED, "51"), (EXPIRED, "54"), (REFUSED, "05")] {
        page = payer::give_card(&browser, &page, card).await.unwrap();
        is_asked_for_a_card(&page);
        declined_with(stage, &payable, code).await;
    }
    let (browser, page) = open_page(stage, &payable).await;
    let second = oid(&page);
    assert_ne!(first, second, "an oid is used once");
    payer::give_card(&browser, &page, MOROCCAN).await.unwrap();
    paid_once(stage, &order).await;
    provider.stands(&first, &["D", "D", "D"]).await.unwrap();
    provider.stands(&second, &["C"]).await.unwrap();
}

#[track_caller]
fn is_asked_for_a_card(page: &Form) {
    assert!(page.action.ends_with("/card"), "{}", page.action);
}

/// Waits until the newest attempt is declined with this code; nothing is paid.
async fn declined_with(stage: &Stage, payable: &str, code: &str) {
    let path = format!("/v1/payments/{payable}");
    wait::until("the decline", BOUND, async || {
        let payment = stage.cast.citizen_session.get(&path).await?;
        let attempts = payment["payable"]["attempts"].as_array();
        let newest = attempts.and_then(|attempts| attempts.last());
        anyhow::ensure!(newest.is_some_and(|one| one["decline_code"] == code), "{payment}");
        anyhow::ensure!(payment["payable"]["state"] == "open", "{payment}");
        Ok(())
    })
    .await
    .unwrap();
}

async fn paid_once(stage: &Stage, order: &Value) {
    let order = stage
        .order_until(order, "its payment", |order| all(order, "paid"))
        .await
        .unwrap();
    assert_eq!(told(&order, "OrderPaid"), 1, "{order}");
    let payable = text(&order, "/payable_id").unwrap();
    let receipt = format!("/v1/payments/{payable}/receipt");
    let receipt = stage.cast.citizen_session.get_bytes(&receipt).await.unwrap();
    assert!(receipt.starts_with(b"%PDF-"));
}
