//! Citizens place orders and pay for them.

use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::{Load, Mishaps};
use crate::bench::orders;
use crate::bench::world::World;
use crate::journey::api::{Api, text};
use crate::journey::order::{self, payer};

/// Places an order whenever one is due, and pays for it at once.
pub(super) async fn place_and_pay(world: &World, load: Load, count: usize, mishaps: &Mishaps) -> Result<()> {
    let office = &world.cast.office.office_id;
    let citizen = &world.cast.citizen_session;
    let body = json!({"lines": lines(office, load.each, 0), "country_code": "MA"});
    let quote = citizen.post("/v1/civil-status/quotes", &body).await;
    let price = quote.context("the price")?["total_centimes"].take();
    let browser = payer::Browser::new()?;
    let mut clock = tokio::time::interval(Duration::from_secs_f64(load.each as f64 / load.acts as f64));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = FuturesUnordered::new();
    let (mut placed, mut paid) = (0, 0);
    while paid < count {
        tokio::select! {
            _ = clock.tick(), if placed < count => {
                let body = json!({
                    "lines": lines(office, load.each, placed * load.each),
                    "addressee": order::addressee(),
                    "address": order::address(),
                    "expected_total_centimes": price,
                });
                under_way.push(one(citizen, &browser, body));
                placed += 1;
            }
            Some(done) = under_way.next() => {
                paid += 1;
                if let Err(error) = done {
                    mishaps.note("an order", &error);
                }
            }
        }
    }
    Ok(())
}

fn lines(office: &str, each: usize, from: usize) -> Vec<Value> {
    (from..from + each)
        .map(|turn| orders::line(office, turn))
        .collect()
}

async fn one(citizen: &Api, browser: &payer::Browser, body: Value) -> Result<()> {
    let placed = citizen
        .post("/v1/civil-status/orders", &body)
        .await
        .context("placing it")?;
    let payable = match placed["payable_id"].as_str() {
        Some(payable) => payable.to_owned(),
        None => {
            let id = text(&placed, "/order_id")?;
            let order = order::until(citizen, id, "its payable", |order| {
                order["payable_id"].is_string()
            });
            text(&order.await?, "/payable_id")?.to_owned()
        }
    };
    let page = payer::open(citizen, browser, &payable).await?;
    let back = payer::give_card(browser, &page, payer::MOROCCAN).await?;
    browser.post(&back, &[]).await.context("coming back")?;
    Ok(())
}
