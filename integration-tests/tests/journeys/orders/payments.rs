//! Money: however a payment is told, an order is paid once, and what it cannot use is given back.

mod cards;
mod signed;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use reqwest::header::IF_MATCH;
use serde_json::{Value, json};
use wathiq_local::journey::api::{new_key, text};
use wathiq_local::journey::order::payer::{self, Browser, DECLINED, Form, MOROCCAN};
use wathiq_local::stack::Options;
use wathiq_local::wait;

use super::{BOUND, all, told};
use crate::stage::{self, Stage};

/// The sandbox's provider of card payments, as a test asks it.
pub(super) struct Provider {
    client: reqwest::Client,
    orders: String,
}

impl Provider {
    pub(super) fn of(stage: &Stage) -> Self {
        Self {
            client: wathiq_local::http::client().unwrap(),
            orders: format!("{}/control/cmi/orders", stage.stack.description.cmi.control),
        }
    }

    pub(super) async fn order(&self, oid: &str) -> Result<Value> {
        let answer = self.client.get(format!("{}/{oid}", self.orders)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn act(&self, oid: &str, act: &str) {
        let answer = self
            .client
            .post(format!("{}/{oid}/{act}", self.orders))
            .send()
            .await;
        assert!(answer.unwrap().status().is_success());
    }

    async fn faults(&self, oid: &str, faults: &Value) {
        let answer = self
            .client
            .put(format!("{}/{oid}/faults", self.orders))
            .json(faults)
            .send()
            .await;
        assert!(answer.unwrap().status().is_success());
    }

    /// Waits until the transactions of an order stand so: `C` captured, `V` given back, `D` declined.
    async fn stands(&self, oid: &str, statuses: &[&str]) -> Result<()> {
        wait::until("the provider's books", BOUND, async || {
            let order = self.order(oid).await?;
            let transactions = order["transactions"].as_array().context("no transactions")?;
            let mut found: Vec<&str> = transactions
                .iter()
                .filter_map(|one| one["status"].as_str())
                .collect();
            found.sort_unstable();
            ensure!(found == statuses, "the provider has {order}");
            Ok(())
        })
        .await
    }
}

fn oid(page: &Form) -> String {
    let field = page.fields.iter().find(|(name, _)| name == "oid");
    field.unwrap().1.clone()
}

async fn open_page(stage: &Stage, payable: &str) -> (Browser, Form) {
    let browser = Browser::new().unwrap();
    let page = payer::open(&stage.cast.citizen_session, &browser, payable)
        .await
        .unwrap();
    (browser, page)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_paid_once_however_it_is_told() {
    let stage = stage::open(Options::default()).await.unwrap();
    let provider = Provider::of(&stage);
    a_decline_leaves_the_page_open(&stage, &provider).await;
    what_is_told_again_changes_nothing(&stage, &provider).await;
    a_message_that_comes_late_or_never(&stage, &provider).await;
    a_cancelled_order_takes_no_money(&stage, &provider).await;
    cards::each_card(&stage, &provider).await;
    stage.balanced().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_genuine_hash_alone_pays_nothing() {
    let mut stage = stage::open(Options::default()).await.unwrap();
    let provider = Provider::of(&stage);
    signed::what_is_signed(&mut stage, &provider).await;
    stage.balanced().await.unwrap();
}

async fn a_decline_leaves_the_page_open(stage: &Stage, provider: &Provider) {
    let (order, payable) = stage.payable("101").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let oid = oid(&page);
    let again = payer::give_card(&browser, &page, DECLINED).await.unwrap();
    assert!(
        again.action.ends_with("/card"),
        "the card may be given again: {}",
        again.action
    );
    let payment = stage
        .cast
        .citizen_session
        .get(&format!("/v1/payments/{payable}"))
        .await
        .unwrap();
    assert_eq!(payment["payable"]["state"], "open");
    assert_eq!(payment["payable"]["attempts"][0]["decline_code"], "51");
    payer::give_card(&browser, &again, MOROCCAN).await.unwrap();
    // The browser does not come back at all.
    stage
        .order_until(&order, "its payment", |order| all(order, "paid"))
        .await
        .unwrap();
    provider.stands(&oid, &["C", "D"]).await.unwrap();
}

async fn what_is_told_again_changes_nothing(stage: &Stage, provider: &Provider) {
    let (order, payable) = stage.payable("102").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let oid = oid(&page);
    provider.faults(&oid, &json!({"callback_copies": 3})).await;
    let back = payer::give_card(&browser, &page, MOROCCAN).await.unwrap();
    for _ in 0..2 {
        browser.post(&back, &[]).await.unwrap();
    }
    stage
        .order_until(&order, "its payment", |order| all(order, "paid"))
        .await
        .unwrap();
    provider.act(&oid, "callback").await;
    provider.act(&oid, "second-success").await;
    provider.stands(&oid, &["C", "V"]).await.unwrap();
    let order = stage.order_until(&order, "nothing more", |_| true).await.unwrap();
    assert_eq!(told(&order, "OrderPaid"), 1, "{order}");
    assert!(all(&order, "paid"));
}

async fn a_message_that_comes_late_or_never(stage: &Stage, provider: &Provider) {
    for (number, faults) in [
        ("103", json!({"callback_delay_ms": 2_000})),
        ("104", json!({"callback_copies": 0})),
        ("105", json!({"answers_lost": 1})),
    ] {
        let (order, payable) = stage.payable(number).await.unwrap();
        let (browser, page) = open_page(stage, &payable).await;
        let oid = oid(&page);
        provider.faults(&oid, &faults).await;
        let back = payer::give_card(&browser, &page, MOROCCAN).await.unwrap();
        browser.post(&back, &[]).await.unwrap();
        let order = stage
            .order_until(&order, "its payment", |order| all(order, "paid"))
            .await
            .unwrap();
        assert_eq!(told(&order, "OrderPaid"), 1, "{faults}: {order}");
    }
}

async fn a_cancelled_order_takes_no_money(stage: &Stage, provider: &Provider) {
    let (order, payable) = stage.payable("106").await.unwrap();
    let (browser, page) = open_page(stage, &payable).await;
    let oid = oid(&page);
    let citizen = &stage.cast.citizen_session;
    let path = format!(
        "/v1/civil-status/orders/{}/cancellation",
        text(&order, "/order_id").unwrap()
    );
    let cancel = citizen
        .request(Method::POST, &path)
        .header("idempotency-key", new_key())
        .header(IF_MATCH, format!("\"{}\"", text(&order, "/etag").unwrap()))
        .json(&json!({"line_ids": []}));
    let answer = cancel.send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    stage
        .order_until(&order, "its end", |order| all(order, "cancelled"))
        .await
        .unwrap();
    let cancelled = async || {
        let payment = citizen.get(&format!("/v1/payments/{payable}")).await?;
        ensure!(payment["payable"]["state"] == "cancelled", "{payment}");
        Ok(())
    };
    wait::until("the end of the payable", BOUND, cancelled)
        .await
        .unwrap();
    payer::give_card(&browser, &page, MOROCCAN).await.unwrap();
    provider.stands(&oid, &["V"]).await.unwrap();
    let order = stage.order_until(&order, "nothing more", |_| true).await.unwrap();
    assert!(all(&order, "cancelled"), "{order}");
}
