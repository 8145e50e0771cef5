//! The carrier's items on a page, and what a test asks of the stand-in.

use std::sync::PoisonError;
use std::time::Duration;

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::SubsecRound;
use serde::Deserialize;
use serde_json::Value;

use super::item::{self, Event, Item};
use super::play::{self, Details, Happening};
use super::teller::{Message, Report};
use super::{Carrier, List};
use crate::faults::Outage;
use crate::page::render;

/// What goes wrong with lists, and what follows them by itself. Counts go down with each time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mischief {
    /// Lists that are taken and answered 502.
    pub(super) lists_unanswered: u32,
    /// Seconds from now in which lists are answered 503.
    down_seconds: u64,
    /// What happens at once to every item of a list.
    play: Option<Happening>,
    /// Where that is told.
    url: Option<String>,
    #[serde(skip)]
    outage: Outage,
}

impl Mischief {
    pub(super) fn is_down(&self) -> bool {
        self.outage.lasts()
    }

    pub(super) fn by_itself(&self) -> (Option<Happening>, Option<String>) {
        (self.play, self.url.clone())
    }
}

/// Something happens to an item.
#[derive(Debug, Deserialize)]
pub(super) struct Play {
    happening: Happening,
    #[serde(flatten)]
    details: Details,
    #[serde(flatten)]
    way: Way,
}

/// How messages go out.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Way {
    /// Where they go; the configured address when absent.
    url: Option<String>,
    /// Each message that many times, with one id.
    copies: u32,
    /// Newest event first, each in a message of its own.
    out_of_order: bool,
    /// Milliseconds before the first; nothing is reported then.
    delay_ms: u64,
    /// Whether they go out at all, or only into the CSV file.
    told: bool,
}

impl Default for Way {
    fn default() -> Self {
        Self {
            url: None,
            copies: 1,
            out_of_order: false,
            delay_ms: 0,
            told: true,
        }
    }
}

/// Events that a test has written itself, right or wrong.
#[derive(Debug, Deserialize)]
pub(super) struct Raw {
    body: Value,
    webhook_id: Option<String>,
    url: Option<String>,
    #[serde(default)]
    forged: bool,
    #[serde(default)]
    seconds_off: i64,
}

/// Which items' events.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filter {
    tracking_id: Option<String>,
    url: Option<String>,
}

#[derive(Template)]
#[template(path = "parcels.html")]
struct Parcels {
    items: Vec<Item>,
}

pub(super) async fn page(State(carrier): State<Carrier>) -> Response {
    let items = carrier.books().items.values().rev().cloned().collect();
    render(StatusCode::OK, &Parcels { items })
}

pub(super) async fn items(State(carrier): State<Carrier>) -> Json<Vec<Item>> {
    Json(carrier.books().items.values().cloned().collect())
}

pub(super) async fn lists(State(carrier): State<Carrier>) -> Json<Vec<List>> {
    Json(carrier.books().lists.values().cloned().collect())
}

pub(super) async fn play(
    State(carrier): State<Carrier>,
    Path(tracking_id): Path<String>,
    Json(play): Json<Play>,
) -> Response {
    let Some(events) = carrier.play(&tracking_id, play.happening, &play.details) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !play.way.told {
        return Json(Vec::<Report>::new()).into_response();
    }
    Json(carrier.send(events, play.way).await).into_response()
}

pub(super) async fn events(State(carrier): State<Carrier>, Json(raw): Json<Raw>) -> Json<Report> {
    let url = raw.url.unwrap_or_else(|| carrier.0.account.webhook_url.clone());
    let mut message = Message::new(url, "application/json", raw.body.to_string().into_bytes());
    message.id = raw.webhook_id.unwrap_or(message.id);
    message.forged = raw.forged;
    message.seconds_off = raw.seconds_off;
    Json(carrier.tell(message).await)
}

/// Everything that was played, as the file that the carrier offers.
pub(super) async fn csv(State(carrier): State<Carrier>, Query(filter): Query<Filter>) -> Response {
    match carrier.file(&filter) {
        Ok(file) => {
            let headers = [
                (CONTENT_TYPE, "text/csv; charset=utf-8"),
                (CONTENT_DISPOSITION, "attachment; filename=\"events.csv\""),
            ];
            (headers, file).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the file cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The same file, brought to the platform.
pub(super) async fn send_csv(State(carrier): State<Carrier>, Query(filter): Query<Filter>) -> Response {
    let url = filter
        .url
        .clone()
        .unwrap_or_else(|| carrier.0.account.csv_url.clone());
    match carrier.file(&filter) {
        Ok(file) => Json(carrier.tell(Message::new(url, "text/csv", file)).await).into_response(),
        Err(error) => {
            tracing::error!(%error, "the file cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

pub(super) async fn faults(State(carrier): State<Carrier>, Json(mischief): Json<Mischief>) -> StatusCode {
    set(&carrier, None, mischief)
}

pub(super) async fn faults_of_one(
    State(carrier): State<Carrier>,
    Path(office): Path<String>,
    Json(mischief): Json<Mischief>,
) -> StatusCode {
    set(&carrier, Some(&office), mischief)
}

fn set(carrier: &Carrier, office: Option<&str>, mut mischief: Mischief) -> StatusCode {
    mischief.outage = Outage::of(mischief.down_seconds);
    let mut faults = carrier.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
    faults.set(office, mischief);
    StatusCode::NO_CONTENT
}

impl Carrier {
    /// The new events of an item; nothing when it is unknown.
    pub(super) fn play(
        &self,
        tracking_id: &str,
        happening: Happening,
        details: &Details,
    ) -> Option<Vec<Event>> {
        // A carrier's clock knows seconds.
        let now = crate::now().trunc_subsecs(0);
        self.with(tracking_id, |item| {
            let events = play::events(item, happening, details, now);
            item.events.extend(events.clone());
            events
        })
    }

    pub(super) fn message(&self, events: &[Event], url: Option<String>) -> Message {
        let url = url.unwrap_or_else(|| self.0.account.webhook_url.clone());
        let body = serde_json::to_vec(events).expect("texts and times can be written as JSON");
        Message::new(url, "application/json", body)
    }

    async fn send(&self, events: Vec<Event>, way: Way) -> Vec<Report> {
        let mut messages: Vec<Message> = if way.out_of_order {
            let each = events.iter().rev();
            each.map(|event| self.message(std::slice::from_ref(event), way.url.clone()))
                .collect()
        } else {
            vec![self.message(&events, way.url)]
        };
        messages = messages
            .into_iter()
            .flat_map(|message| std::iter::repeat_n(message, way.copies as usize))
            .collect();
        if way.delay_ms > 0 {
            let carrier = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(way.delay_ms)).await;
                carrier.tell_all(messages).await
            });
            return Vec::new();
        }
        self.tell_all(messages).await
    }

    async fn tell_all(&self, messages: Vec<Message>) -> Vec<Report> {
        let mut reports = Vec::new();
        for message in messages {
            reports.push(self.tell(message).await);
        }
        reports
    }

    fn file(&self, filter: &Filter) -> Result<Vec<u8>, csv::Error> {
        let books = self.books();
        let wanted = |item: &&Item| {
            filter
                .tracking_id
                .as_ref()
                .is_none_or(|one| *one == item.tracking_id)
        };
        item::csv(books.items.values().filter(wanted).flat_map(|item| &item.events))
    }
}
