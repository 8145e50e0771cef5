//! Takes due messages, tries them, notes the outcome. Any number of processes may do so at the same time.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sqlx::postgres::PgListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use wathiq_chassis::{CallContext, status, telemetry};

use crate::app::App;
use crate::app::send_message::{HandOver, attempt};
use crate::app::settle_message::{Attempt, settle};
use crate::domain::message::{Message, Outcome, State};
use crate::domain::template::Lane;
use crate::store::{StoreError, messages};

/// Until the hand-over begins: asking other services, and writing.
const PREPARING: Duration = Duration::from_secs(30);
/// What noting the outcome may take while the database answers.
const SETTLING: Duration = Duration::from_secs(5);
/// By how much the lease is longer than an attempt: a database that is away for less costs nothing.
const SPARE: Duration = Duration::from_secs(60);
/// Pause between two tries at noting an outcome.
const SETTLE_AGAIN: Duration = Duration::from_millis(250);
/// Longest pause between two looks: the net below a lost notification.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// Pause after the database did not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How soon is looked again for what is left of a lane.
const SOON: Duration = Duration::from_millis(100);
/// Pause once it answers again, before anything is claimed: whoever has handed a message over notes that first, and the
/// lease may have run out meanwhile. Longer than a connection takes to be given up.
const AFTER_RECOVERY: Duration = Duration::from_secs(5);

/// For how long an attempt keeps others off its message: longer than any attempt takes. A mail that is too large is handed
/// over a second time, by link.
fn lease(app: &App) -> TimeDelta {
    let longest = PREPARING + app.hand_over * 2 + SPARE;
    TimeDelta::from_std(longest).unwrap_or(TimeDelta::MAX)
}

/// How long [`run`] may take to end: a hand-over that has begun ends, and is noted.
pub fn drain(hand_over: Duration) -> Duration {
    hand_over * 2 + SETTLING
}

/// The attempts under way. Codes may take every place and are kept one; mails with sealed files, which stand in memory
/// whole, have one; all others share the rest.
struct UnderWay {
    places: usize,
    codes: JoinSet<()>,
    sealed: JoinSet<()>,
    others: JoinSet<()>,
}

impl UnderWay {
    fn new(places: usize) -> Self {
        Self {
            places,
            codes: JoinSet::new(),
            sealed: JoinSet::new(),
            others: JoinSet::new(),
        }
    }

    fn of(&mut self, lane: Lane) -> &mut JoinSet<()> {
        match lane {
            Lane::Code => &mut self.codes,
            Lane::Sealed => &mut self.sealed,
            Lane::Other => &mut self.others,
        }
    }

    fn free(&self) -> usize {
        let taken = self.codes.len() + self.sealed.len() + self.others.len();
        self.places.saturating_sub(taken)
    }

    fn is_full(&self) -> bool {
        self.free() == 0
    }

    /// How many attempts of a lane may begin.
    fn room(&self, lane: Lane) -> usize {
        let own = match lane {
            Lane::Code => self.places,
            Lane::Sealed => 1_usize.saturating_sub(self.sealed.len()),
            Lane::Other => self.places.saturating_sub(2 + self.others.len()),
        };
        own.min(self.free())
    }

    fn forget_ended(&mut self) {
        for lane in Lane::ALL {
            while self.of(lane).try_join_next().is_some() {}
        }
    }

    /// Returns when an attempt has ended; never where none is under way.
    async fn one_ends(&mut self) {
        tokio::select! {
            Some(_) = self.codes.join_next() => {}
            Some(_) = self.sealed.join_next() => {}
            Some(_) = self.others.join_next() => {}
            else => std::future::pending().await,
        }
    }

    async fn all_end(&mut self) {
        for lane in Lane::ALL {
            while self.of(lane).join_next().await.is_some() {}
        }
    }
}

/// Works until `shutdown`. A hand-over under way is finished and noted; what is still being prepared is put off.
pub async fn run(app: Arc<App>, concurrency: usize, shutdown: CancellationToken) {
    let mut under_way = UnderWay::new(concurrency);
    let mut listener = None;
    let mut was_away = false;
    while !shutdown.is_cancelled() {
        under_way.forget_ended();
        let begun = match was_away {
            true => recover(&app, &shutdown).await.map(|()| Duration::ZERO),
            false => begin(&app, &mut under_way, &shutdown).await,
        };
        was_away = begun.is_err();
        let rest = match begun {
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
            () = under_way.one_ends() => {}
            () = woken(&app, &mut listener) => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
    under_way.all_end().await;
}

/// Finds out whether the database answers again, and lets others go first.
async fn recover(app: &App, shutdown: &CancellationToken) -> Result<(), StoreError> {
    let mut conn = app.pool.acquire().await?;
    messages::next_due(&mut conn).await?;
    drop(conn);
    let _told_to_end = shutdown
        .run_until_cancelled(tokio::time::sleep(AFTER_RECOVERY))
        .await;
    Ok(())
}

/// Begins attempts at due messages while there is room, and answers how long nothing will be due.
async fn begin(
    app: &Arc<App>,
    under_way: &mut UnderWay,
    shutdown: &CancellationToken,
) -> Result<Duration, StoreError> {
    let mut rest = LONGEST_REST;
    if under_way.is_full() {
        return Ok(rest);
    }
    let mut conn = app.pool.acquire().await?;
    let now = app.ambient.now();
    let next_due = messages::next_due(&mut conn).await?;
    for lane in Lane::ALL {
        let room = under_way.room(lane);
        let next = next_due.iter().find(|(of, _)| of == lane.as_str());
        let Some((_, next)) = next.filter(|_| room > 0) else {
            continue;
        };
        if *next > now {
            rest = rest.min((*next - now).to_std().unwrap_or(Duration::ZERO));
            continue;
        }
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let due = messages::claim(&mut conn, lane, now, now + lease(app), limit).await?;
        if due.len() < room {
            // What else is queued is due later, or with another process.
            rest = rest.min(SOON);
        }
        for message in due {
            let (app, shutdown) = (Arc::clone(app), shutdown.clone());
            let attempt = async move { try_once(&app, message, &shutdown).await };
            under_way.of(lane).spawn(attempt);
        }
    }
    Ok(rest)
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
pub async fn try_once(app: &App, message: Message, shutdown: &CancellationToken) {
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
    let context = CallContext::new(PREPARING, message.cause_event_id.to_string());
    let work = async {
        let claimed = Instant::now();
        let attempted = bounded(app, &message, shutdown).await;
        note(app, message, attempted, claimed).await;
    };
    context.scope(work.instrument(span)).await;
}

/// An attempt that ends whatever hangs. What has begun to be handed over is never cut off, for nobody would know whether it
/// was taken; the hand-over has a bound of its own.
async fn bounded(app: &App, message: &Message, shutdown: &CancellationToken) -> Attempt {
    let hand_over = HandOver::default();
    let mut attempt = pin!(attempt(app, message, &hand_over));
    let code = tokio::select! {
        biased;
        attempted = &mut attempt => return attempted,
        () = tokio::time::sleep(PREPARING) => "ATTEMPT_TIMEOUT",
        () = shutdown.cancelled() => "INTERRUPTED",
    };
    if hand_over.has_begun() {
        return attempt.await;
    }
    Attempt {
        template: message.template,
        outcome: Outcome::Again {
            code: code.to_owned(),
        },
    }
}

/// Notes the outcome, again and again while the database is away: what was taken must not go out a second time.
async fn note(app: &App, message: Message, attempted: Attempt, claimed: Instant) {
    let (id, channel) = (message.id, message.channel);
    let [jitter] = app.ambient.bytes();
    let message = attempted.applied_to(message, app.ambient.now(), jitter);
    let lease = lease(app).to_std().unwrap_or(Duration::MAX);
    let mut told = false;
    let settled = loop {
        match settle(app, &message).await {
            Ok(settled) => break settled,
            Err(error) if error.database_is_away() || claimed.elapsed() < lease => {
                if !told {
                    let error = status::chain(&error);
                    tracing::warn!(event = "message.outcome_waits", message_id = %id, error, "the outcome is noted later");
                }
                told = true;
                tokio::time::sleep(SETTLE_AGAIN).await;
            }
            Err(error) => {
                let error = status::chain(&error);
                tracing::error!(event = "message.outcome_lost", message_id = %id, error, "the message is tried again");
                return;
            }
        }
    };
    if !settled {
        tracing::warn!(event = "message.taken_over", message_id = %id, "it is noted already, or another process has this message");
        return;
    }
    metrics::counter!(
        "notification_attempts_total",
        "template" => message.template.as_str(),
        "channel" => channel.as_str(),
        "outcome" => message.state.as_str(),
    )
    .increment(1);
    report(&message);
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
            tracing::info!(event = "message.dropped", message_id = %id, template, attempts, reason, "not to be sent");
        }
    }
}
