//! A parcel in a stranger's hands: whatever is scanned besides, office and citizen see it, and it is told by mail.

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};
use wathiq_local::journey::api::text;
use wathiq_local::journey::order::desk;
use wathiq_local::journey::people;
use wathiq_local::stack::Options;
use wathiq_local::wait;

use super::{BOUND, all, carrier_says};
use crate::pages::{page, words};
use crate::stage::{self, Stage};

const STRANGER: &str = "Rachid Alaoui";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parcel_in_a_stranger_s_hands_is_seen_whatever_is_scanned_besides() {
    let stage = stage::open(Options {
        environment: stage::without_limits(),
        ..Options::default()
    })
    .await
    .unwrap();
    let addressee = people::citizen().name_latin.join(" ");
    let mut played = Vec::new();
    for (number, recipient, scanned_first) in [
        ("601", STRANGER, false),
        ("602", STRANGER, true),
        ("603", addressee.as_str(), true),
    ] {
        let order = posted(&stage, number).await.unwrap();
        let order = delivered_and_scanned(&stage, &order, recipient, scanned_first).await;
        let order = order.map_err(|error| stage::with_logs(error, &stage.stack));
        played.push((order.unwrap(), recipient));
    }
    for (order, recipient) in &played {
        let (exception, mail, other) = if *recipient == STRANGER {
            (
                "DELIVERED_TO_OTHER",
                "order.delivered_to_other",
                "order.delivered",
            )
        } else {
            (
                "CONTRADICTORY_EVENTS",
                "order.delivered",
                "order.delivered_to_other",
            )
        };
        the_citizen_sees(&stage, order, recipient, exception)
            .await
            .unwrap();
        the_office_sees(&stage, order, exception).await.unwrap();
        is_told(&stage, order, mail, other).await.unwrap();
    }
    stage.balanced().await.unwrap();
}

/// An order of one act from paper, handed to the post.
async fn posted(stage: &Stage, number: &str) -> Result<Value> {
    let order = stage.paid(number).await?;
    let (agent, office) = (&stage.cast.agent_session, &stage.cast.office.office_id);
    desk::batch_sheet(agent, office, &[text(&order, "/lines/0/line_id")?]).await?;
    let barcode = text(&order, "/lines/0/line_reference")?;
    desk::produce(&stage.cast.registrar_session, barcode, &stage.officer_id().await?).await?;
    let numbered = |order: &Value| order["parcels"][0]["tracking_number"].is_string();
    let order = stage.order_until(&order, "its number", numbered).await?;
    desk::hand_over(agent, office, text(&order, "/parcels/0/tracking_number")?).await?;
    stage
        .order_until(&order, "its hand-over", |order| all(order, "handed_over"))
        .await
}

/// The carrier tells of a delivery, and of a scan on the way that it dates later; one after the other.
async fn delivered_and_scanned(
    stage: &Stage,
    order: &Value,
    recipient: &str,
    scanned_first: bool,
) -> Result<Value> {
    let number = text(order, "/parcels/0/tracking_number")?;
    let now: DateTime<Utc> = std::time::SystemTime::now().into();
    let event = |code: &str, seconds: i64| {
        let time = (now - TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Secs, true);
        json!({"tracking_id": number, "code": code, "event_time": time})
    };
    let mut delivery = event("EMI", 20);
    delivery["recipient_name"] = recipient.into();
    delivery["document_kind"] = "CIN".into();
    delivery["document_last_four"] = "7788".into();
    let mut events = [delivery, event("EMD", 10)];
    if scanned_first {
        events.reverse();
    }
    for event in events {
        let before = heard(stage, number).await?;
        let (carrier, base) = (&stage.stack.description.carrier, stage.cast.anyone.base());
        carrier_says(carrier, base, &json!([event])).await?;
        wait::until("what the carrier said", BOUND, async || {
            ensure!(heard(stage, number).await? > before, "{number} stands as before");
            Ok(())
        })
        .await?;
    }
    stage
        .order_until(order, "its delivery", |order| all(order, "delivered"))
        .await
}

/// The latest of what the order has heard about its parcel.
async fn heard(stage: &Stage, number: &str) -> Result<i64> {
    let mut connection = stage.stack.database("civil-registry-order").connect().await?;
    let sequence = sqlx::query_scalar("SELECT shipment_sequence FROM parcel WHERE tracking_number = $1")
        .bind(number)
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(sequence)
}

async fn the_citizen_sees(stage: &Stage, order: &Value, recipient: &str, exception: &str) -> Result<()> {
    let parcel = &order["parcels"][0];
    ensure!(parcel["exception_code"] == exception, "{parcel}");
    ensure!(parcel["recipient_name"] == recipient, "{parcel}");
    let key = format!("parcel_exception.{exception}");
    let said = words("fr")(&key);
    let shown = text(parcel, "/status_text/fr")?;
    ensure!(shown.contains(&said), "{shown}");
    let path = format!("/orders/{}?lang=ar", text(order, "/order_id")?);
    let shown = page(stage, Method::GET, &path, stage.cast.citizen_session.session()).await;
    ensure!(shown.html.contains(&words("ar")(&key)), "{}", shown.html);
    Ok(())
}

async fn the_office_sees(stage: &Stage, order: &Value, exception: &str) -> Result<()> {
    let (agent, office) = (&stage.cast.agent_session, &stage.cast.office.office_id);
    let path = format!("/v1/office/order-exceptions?office_id={office}&page_size=100");
    let listed = agent.get(&path).await?;
    let line = &order["lines"][0]["line_id"];
    let mut entries = listed["items"].as_array().context("no list")?.iter();
    let entry = entries.find(|entry| entry["line_id"] == *line);
    let entry = entry.with_context(|| format!("{line} is not listed: {listed}"))?;
    ensure!(entry["code"] == exception, "{entry}");
    let path = format!("/office/exceptions?office_id={office}&lang=ar");
    let shown = page(stage, Method::GET, &path, agent.session()).await.html;
    let said = words("ar")(&format!("exception.{exception}"));
    let reference = text(order, "/lines/0/line_reference")?;
    ensure!(shown.contains(&said) && shown.contains(reference), "{shown}");
    Ok(())
}

/// One mail says it, and none says the contrary.
async fn is_told(stage: &Stage, order: &Value, mail: &str, other: &str) -> Result<()> {
    let id = uuid::Uuid::parse_str(text(order, "/order_id")?)?;
    let sent = async |template: &str| -> Result<i64> {
        let mut connection = stage.stack.database("notification").connect().await?;
        let sent = "SELECT count(*) FROM message WHERE aggregate_id = $1 AND template = $2 AND channel = 'email' AND state = 'sent'";
        let count = sqlx::query_scalar(sent)
            .bind(id)
            .bind(template)
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(count)
    };
    wait::until(mail, BOUND, async || {
        let times = sent(mail).await?;
        ensure!(times == 1, "{mail} is sent {times} times");
        Ok(())
    })
    .await?;
    ensure!(sent(other).await? == 0, "{other} is sent");
    let reference = text(order, "/reference")?;
    stage
        .cast
        .inbox
        .mail_with(&stage.cast.citizen.email, reference)
        .await?;
    Ok(())
}
