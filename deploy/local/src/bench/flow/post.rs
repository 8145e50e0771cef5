//! The post: parcels are handed over as they come, and the carrier tells of each until it is delivered.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Mishaps, pause};
use crate::bench::world::World;
use crate::http;
use crate::journey::api::{Api, text};
use crate::journey::people;

/// Parcels of a hand-over.
const PARCELS: usize = 100;
/// How often the agent and the carrier look.
const LOOK: Duration = Duration::from_secs(1);
/// Events of a message, at most.
const EVENTS: usize = 500;
/// What the carrier tells of a parcel: on its way, at the delivery office, delivered.
const CODES: [&str; 3] = ["EMC", "EMG", "EMI"];

/// Who hands over, and where the carrier is.
#[derive(Clone)]
pub(super) struct Post {
    office_id: String,
    agent: Api,
    /// Where the sandbox is told what the carrier says.
    carrier: String,
    /// Where it says it.
    platform: String,
    recipient: String,
}

impl Post {
    /// Allocates a number for every parcel to come.
    pub(super) async fn open(world: &World, orders: usize) -> Result<Self> {
        let range = json!({
            "service_indicator": "RB", "country_code": "MA",
            "first": 1, "last": orders + 1_000, "product": "registered_domestic",
        });
        world
            .head
            .post("/v1/number-ranges", &range)
            .await
            .context("allocating numbers of the post")?;
        Ok(Self {
            office_id: world.cast.office.office_id.clone(),
            agent: world.cast.agent_session.clone(),
            carrier: format!(
                "{}/control/carrier/events",
                world.parts.description.carrier.control
            ),
            platform: format!("{}/v1/carrier/events", world.stack.url()?),
            recipient: people::citizen().name_latin.join(" "),
        })
    }
}

/// Works until everybody goes home.
pub(super) async fn work(post: Post, mut whole: watch::Receiver<bool>, mishaps: Arc<Mishaps>) {
    loop {
        match hand_over(&post).await {
            Ok(numbers) if numbers.is_empty() => {}
            Ok(numbers) => {
                if let Err(error) = deliver(&post, &numbers).await {
                    mishaps.note("delivering", &error);
                }
                if numbers.len() == PARCELS {
                    continue;
                }
            }
            Err(error) => mishaps.note("handing over", &error),
        }
        if !pause(&mut whole, LOOK).await {
            return;
        }
    }
}

/// Hands over what waits. Answers the numbers.
async fn hand_over(post: &Post) -> Result<Vec<String>> {
    let office = &post.office_id;
    let path = format!("/v1/office/parcels?office_id={office}&waiting_only=true&page_size={PARCELS}");
    let page = post.agent.get(&path).await.context("the list of parcels")?;
    let items = page["items"].as_array().context("the list has no items")?;
    // A parcel that has no number yet waits for postal-shipping.
    let numbers: Vec<String> = items
        .iter()
        .filter_map(|parcel| parcel["tracking_number"].as_str())
        .map(str::to_owned)
        .collect();
    if numbers.is_empty() {
        return Ok(numbers);
    }
    let body = json!({"office_id": office, "tracking_numbers": numbers});
    let answer = post.agent.post("/v1/office/hand-overs", &body).await?;
    let problems = answer["problems"].as_array().map_or(0, Vec::len);
    ensure!(
        problems == 0,
        "{problems} parcels are not handed over: {}",
        answer["problems"][0]
    );
    text(&answer, "/deposit_list_id").context("the post has not confirmed")?;
    Ok(numbers)
}

/// The carrier tells everything of these parcels, event by event, as it happens to them side by side.
async fn deliver(post: &Post, numbers: &[String]) -> Result<()> {
    let client = http::client()?;
    let now: chrono::DateTime<chrono::Utc> = std::time::SystemTime::now().into();
    let mut events = Vec::new();
    for (second, code) in (1..).zip(CODES) {
        // After the hand-over, as the carrier's clock sees it.
        let at = now + chrono::TimeDelta::seconds(second);
        for number in numbers {
            let mut event = json!({"tracking_id": number, "code": code, "event_time": at.to_rfc3339(), "place": "CASABLANCA"});
            if code == "EMI" {
                event["recipient_name"] = post.recipient.as_str().into();
                event["document_kind"] = "CIN".into();
                event["document_last_four"] = "3456".into();
            }
            events.push(event);
        }
    }
    for message in events.chunks(EVENTS) {
        let body = json!({"body": message, "url": post.platform});
        let told = client.post(&post.carrier).json(&body).send().await?;
        let told: Value = told.error_for_status()?.json().await?;
        ensure!(
            told["status"] == 200,
            "the platform did not take what the carrier told: {told}"
        );
    }
    Ok(())
}
