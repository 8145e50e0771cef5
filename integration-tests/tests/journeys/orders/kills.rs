//! `kill -9` of each service at each step of an order, also while it does the step: the order finishes, and everything balances.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};
use wathiq_local::journey::api::text;
use wathiq_local::journey::order::payer::{self, Browser, MOROCCAN};
use wathiq_local::journey::order::{self, desk};
use wathiq_local::stack::Options;
use wathiq_local::wait;

use super::{BOUND, all};
use crate::stage::{self, Stage};

/// Each goes down with every step of an order of its own.
const VICTIMS: [&str; 4] = ["civil-registry-order", "payment", "postal-shipping", "signature"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_service_is_killed_at_each_step() {
    let mut stage = stage::open(Options {
        environment: stage::without_limits(),
        ..Options::default()
    })
    .await
    .unwrap();
    stage.digitise().await.unwrap();
    for victim in VICTIMS {
        let delivered = play(&mut stage, victim).await;
        let delivered = delivered.map_err(|error| stage::with_logs(error, &stage.stack).context(victim));
        assert!(all(&delivered.unwrap(), "delivered"));
    }
    let report = stage.balanced().await.unwrap();
    assert_eq!(report["checked"]["issued_documents"], 4, "{report}");
    assert_eq!(report["checked"]["shipments"], 4, "{report}");
}

/// An order of one digitised act, from its placing to its delivery.
async fn play(stage: &mut Stage, victim: &str) -> Result<Value> {
    let placed = stage.order_digitised().await?;
    killed(stage, victim).await?;
    let order = paid(stage, victim, &placed).await?;
    killed(stage, victim).await?;

    let line = text(&order, "/lines/0/line_id")?.to_owned();
    let registrar = stage.cast.registrar_session.clone();
    let body = json!({"line_ids": [line]});
    registrar.post("/v1/office/prepared-documents", &body).await?;
    killed(stage, victim).await?;
    let office = stage.cast.office.office_id.clone();
    desk::prepared(&registrar, &office, &[&line]).await?;
    killed(stage, victim).await?;
    sealed(stage, victim, &order, &line).await?;
    killed(stage, victim).await?;

    let numbered = |order: &Value| order["parcels"][0]["tracking_number"].is_string();
    let order = stage.order_until(&order, "its number", numbered).await?;
    killed(stage, victim).await?;
    let number = text(&order, "/parcels/0/tracking_number")?;
    desk::hand_over(&stage.cast.agent_session, &office, number).await?;
    killed(stage, victim).await?;
    order::deliver(&stage.stack.description.carrier, stage.cast.anyone.base(), number).await?;
    killed(stage, victim).await?;
    stage
        .order_until(&order, "its delivery", |order| all(order, "delivered"))
        .await
}

/// `kill -9`, and a new start.
async fn killed(stage: &mut Stage, victim: &str) -> Result<()> {
    stage.stack.kill(victim).await?;
    started(stage, victim).await
}

/// A new start after the time for which the one before had kept its tasks to itself.
async fn started(stage: &mut Stage, victim: &str) -> Result<()> {
    if victim == "civil-registry-order" {
        let mut connection = stage.stack.database(victim).connect().await?;
        sqlx::query("UPDATE outward SET leased_until = NULL")
            .execute(&mut connection)
            .await?;
        connection.close().await?;
    }
    stage.stack.restart(victim).await
}

/// The card is given while the service goes down: what the provider tells meets nobody, and is told again.
async fn paid(stage: &mut Stage, victim: &str, placed: &Value) -> Result<Value> {
    let ready = stage
        .order_until(placed, "its payable", |order| order["payable_id"].is_string())
        .await?;
    let browser = Browser::new()?;
    let page = payer::open(
        &stage.cast.citizen_session,
        &browser,
        text(&ready, "/payable_id")?,
    )
    .await?;
    let (given, ended) = tokio::join!(
        payer::give_card(&browser, &page, MOROCCAN),
        stage.stack.kill(victim)
    );
    given?;
    ended?;
    started(stage, victim).await?;
    stage
        .order_until(placed, "its payment", |order| all(order, "paid"))
        .await
}

/// The officer seals while the service goes down, and again where that came to nothing.
async fn sealed(stage: &mut Stage, victim: &str, order: &Value, line: &str) -> Result<()> {
    let prepared = waiting(stage, line)
        .await?
        .context("nothing waits for the seal")?;
    stage.codes_again().await?;
    let Stage { stack, cast, .. } = &mut *stage;
    let prepared = [prepared];
    let seal = desk::seal(
        &cast.registrar_session,
        &mut cast.office.registrar,
        &prepared,
        &cast.registrar_pin,
    );
    let (_perhaps, ended) = tokio::join!(seal, stack.kill(victim));
    ended?;
    started(stage, victim).await?;
    let path = format!("/v1/civil-status/orders/{}", text(order, "/order_id")?);
    wait::until("the seal", BOUND, async || {
        let order = stage.cast.citizen_session.get(&path).await?;
        if all(&order, "produced") {
            return Ok(());
        }
        if let Some(prepared) = waiting(stage, line).await? {
            stage.codes_again().await?;
            let cast = &mut stage.cast;
            desk::seal(
                &cast.registrar_session,
                &mut cast.office.registrar,
                &[prepared],
                &cast.registrar_pin,
            )
            .await?;
        }
        bail!("the line stands at {}", order["lines"][0])
    })
    .await
}

/// The document of a line, while it waits for the seal.
async fn waiting(stage: &Stage, line: &str) -> Result<Option<Value>> {
    let path = format!(
        "/v1/office/prepared-documents?office_id={}&page_size=100",
        stage.cast.office.office_id
    );
    let page = stage.cast.registrar_session.get(&path).await?;
    let mut documents = page["items"].as_array().into_iter().flatten();
    Ok(documents
        .find(|document| document["line_id"] == line && document["digest"].is_string())
        .cloned())
}
