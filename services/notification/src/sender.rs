//! Takes due messages, tries them, notes the outcome. Any number of processes may do so at the same time.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use sqlx::postgres::PgListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use wathiq_chassis::{CallContext, status, telemetry};

use crate::app::App;
use crate::app::send_message::attempt;
use crate::app::settle_message::{Attempt, settle};
use crate::domain::message::{Message, Outcome, State};
use crate::store::messages;

/// An attempt ends within this, whatever hangs.
const ATTEMPT: Duration = Duration::from_secs(90);
/// For how long an attempt keeps others off its message. Longer than [`ATTEMPT`] by what noting the outcome may take.
const LEASE: TimeDelta = TimeDelta::seconds(120);
/// Longest pause between two looks: the net below a lost notification.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// Pause after the database did not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Works until `shutdown`; attempts under way are finished.
pub async fn run(app: Arc<App>, concurrency: usize, shutdown: CancellationToken) {
    let mut under_way = JoinSet::new();
    let mut listener = None;
    while !shutdown.is_cancelled() {
        while under_way.try_join_next().is_some() {}
        let room = concurrency.saturating_sub(under_way.len());
        let rest = match begin(&app, room, &mut under_way).await {
            Ok(rest) => rest,
            Err(error) => {
                tracing::warn!(
                    event = "sender.delayed",
                    error = status::chain(&error),
                    "due messages cannot be read"
                );
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            Some(_) = under_way.join_next() => {}
            () = woken(&app, &mut listener) => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Begins attempts at due messages while there is room, and answers how long nothing will be due.
async fn begin(
    app: &Arc<App>,
    room: usize,
    under_way: &mut JoinSet<()>,
) -> Result<Duration, crate::store::StoreError> {
    if room == 0 {
        return Ok(LONGEST_REST);
    }
    let mut conn = app.pool.acquire().await?;
    let now = app.ambient.now();
    let limit = i64::try_from(room).unwrap_or(i64::MAX);
    let due = messages::claim(&mut conn, now, now + LEASE, limit).await?;
    let full = due.len() == room;
    for message in due {
        let app = Arc::clone(app);
        under_way.spawn(async move { try_once(&app, message).await });
    }
    if full {
        return Ok(LONGEST_REST);
    }
    let next = messages::next_due(&mut conn).await?;
    let rest = next.map_or(LONGEST_REST, |next| {
        (next - now).to_std().unwrap_or(Duration::ZERO)
    });
    Ok(rest.min(LONGEST_REST))
}

/// Returns when a message has been queued. Without a connection it never does, and the next look tries again.
async fn woken(app: &App, listener: &mut Option<PgListener>) {
    if listener.is_none() {
        *listener = listen(app).await.ok();
    }
    let Some(connected) = listener else {
        return std::future::pending().await;
    };
    if connected.recv().await.is_err() {
        *listener = None;
        std::future::pending::<()>().await;
    }
}

async fn listen(app: &App) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(&app.pool).await?;
    listener.listen(messages::CHANNEL).await?;
    Ok(listener)
}

/// One attempt, in the trace of the event that caused the message.
pub async fn try_once(app: &App, message: Message) {
    let span = tracing::info_span!(
        "message.send",
        otel.name = format!("send {}", message.template.as_str()),
        otel.kind = "consumer",
        message_id = %message.id,
        cause_event_id = %message.cause_event_id,
        attempt = message.attempts,
    );
    if let Some(traceparent) = &message.traceparent {
        telemetry::set_parent(&span, traceparent);
    }
    let context = CallContext::new(ATTEMPT, message.cause_event_id.to_string());
    context.scope(try_and_settle(app, message).instrument(span)).await;
}

async fn try_and_settle(app: &App, message: Message) {
    let (id, channel, template) = (message.id, message.channel, message.template);
    let attempted = match tokio::time::timeout(ATTEMPT, attempt(app, &message)).await {
        Ok(attempted) => attempted,
        Err(_) => Attempt {
            template,
            outcome: Outcome::Again {
                code: "ATTEMPT_TIMEOUT".to_owned(),
            },
        },
    };
    match settle(app, message, attempted).await {
        Ok(Some(settled)) => {
            metrics::counter!(
                "notification_attempts_total",
                "template" => settled.template.as_str(),
                "channel" => channel.as_str(),
                "outcome" => settled.state.as_str(),
            )
            .increment(1);
            report(&settled);
        }
        Ok(None) => {
            tracing::warn!(event = "message.taken_over", message_id = %id, "another process has this message");
        }
        Err(error) => {
            let error = status::chain(&error);
            tracing::error!(event = "message.outcome_lost", message_id = %id, error, "the message is tried again");
        }
    }
}

fn report(message: &Message) {
    let (id, template, attempts) = (message.id, message.template.as_str(), message.attempts);
    match &message.state {
        State::Queued { .. } => {}
        State::Sent { at } => {
            metrics::histogram!("notification_delay_seconds").record(
                (*at - message.created_at)
                    .to_std()
                    .unwrap_or_default()
                    .as_secs_f64(),
            );
            tracing::info!(event = "message.sent", message_id = %id, template, attempts, "sent");
        }
        State::Failed { code, .. } => {
            tracing::warn!(event = "message.failed", message_id = %id, template, attempts, code, "cannot be sent");
        }
        State::Dropped { reason, .. } => {
            tracing::info!(event = "message.dropped", message_id = %id, template, attempts, reason, "too late");
        }
    }
}
