//! Asks other services what is due: each task in its own time, those of one subject in order. A service that does not answer is asked again later,
//! and what waits for it says so. Every call may be repeated: its request id is the task's.

mod document;
mod money;
mod parcel;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::{CallContext, status};

use crate::app::{App, AppError};
use crate::clients::ClientError;
use crate::domain::order::fact::OutwardKind;
use crate::store::outward::{self, Task, wake};

/// How long a task stays with who took it.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How long a call may take.
const CALL: Duration = Duration::from_secs(30);
/// How long a caller waits for the first call of a task.
const AT_ONCE: Duration = Duration::from_secs(3);
/// Tasks taken at a time, and worked on at the same time.
const TASKS: i64 = 16;
const AT_A_TIME: usize = 4;
/// Longest pause between two attempts, in seconds.
const LONGEST_PAUSE: i64 = 300;

/// Why a task is not done.
#[derive(Debug, thiserror::Error)]
pub enum Hindrance {
    #[error(transparent)]
    App(#[from] AppError),
    /// Asked again later; the word says what is missing.
    #[error("waits for {0}")]
    Missing(&'static str),
    /// The other service will never do it; what follows was written down.
    #[error("refused for good: {0}")]
    Refused(String),
}

impl From<ClientError> for Hindrance {
    fn from(error: ClientError) -> Self {
        Self::App(error.into())
    }
}

impl From<crate::store::StoreError> for Hindrance {
    fn from(error: crate::store::StoreError) -> Self {
        Self::App(error.into())
    }
}

impl From<sqlx::Error> for Hindrance {
    fn from(error: sqlx::Error) -> Self {
        Self::App(error.into())
    }
}

/// What is asked of one service. A service that does not answer keeps the others waiting no longer than its own callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Payment,
    Signature,
    PostalShipping,
}

impl Lane {
    pub const ALL: [Self; 3] = [Self::Payment, Self::Signature, Self::PostalShipping];

    fn of(kind: OutwardKind) -> Self {
        match kind {
            OutwardKind::OpenPayable
            | OutwardKind::CancelPayable
            | OutwardKind::ExpirePayable
            | OutwardKind::RequestRefund => Self::Payment,
            OutwardKind::DepositDocument | OutwardKind::WithdrawDocument => Self::Signature,
            OutwardKind::CreateShipment | OutwardKind::HandOver => Self::PostalShipping,
        }
    }

    fn kinds(self) -> Vec<OutwardKind> {
        let kinds = OutwardKind::ALL.iter().copied();
        kinds.filter(|kind| Self::of(*kind) == self).collect()
    }
}

/// Works until `shutdown`: whenever something that is due was committed, and from time to time. `options` lead to the same database.
pub async fn run(app: Arc<App>, options: PgConnectOptions, shutdown: CancellationToken) {
    let wakes = Lane::ALL.map(|_| Notify::new());
    let lanes = Lane::ALL
        .iter()
        .zip(&wakes)
        .map(|(lane, wake)| work(&app, *lane, wake, &shutdown));
    let due = |kind: Option<OutwardKind>| {
        for (lane, wake) in Lane::ALL.iter().zip(&wakes) {
            if kind.is_none_or(|kind| Lane::of(kind) == *lane) {
                wake.notify_one();
            }
        }
    };
    tokio::select! {
        never = wake::listen(&options, due) => match never {},
        _ = join_all(lanes) => {}
    }
}

async fn work(app: &App, lane: Lane, wake: &Notify, shutdown: &CancellationToken) {
    let mut interval = tokio::time::interval(Duration::from_secs(app.orders.driver_seconds));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = wake.notified() => {}
            _ = interval.tick() => {}
        }
        loop {
            match drive(app, lane).await {
                Ok(0) => break,
                Ok(_) if shutdown.is_cancelled() => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(
                        event = "drive.failed",
                        error = status::chain(&error),
                        "tried again later"
                    );
                    break;
                }
            }
        }
    }
}

/// Takes what is due of a lane and asks; gives the number of tasks.
///
/// # Errors
/// [`AppError`] of the database.
pub async fn drive(app: &App, lane: Lane) -> Result<usize, AppError> {
    let tasks = {
        let mut conn = app.pool.acquire().await?;
        outward::take(&mut conn, &lane.kinds(), app.ambient.now(), LEASE, TASKS).await?
    };
    let count = tasks.len();
    futures::stream::iter(together(tasks))
        .for_each_concurrent(AT_A_TIME, |tasks| attempt(app, tasks))
        .await;
    Ok(count)
}

/// The documents of an order are deposited together, everything else by itself.
fn together(tasks: Vec<Task>) -> Vec<Vec<Task>> {
    let mut groups: Vec<Vec<Task>> = Vec::with_capacity(tasks.len());
    for task in tasks {
        let same = |group: &&mut Vec<Task>| {
            task.kind == OutwardKind::DepositDocument
                && group[0].kind == task.kind
                && group[0].order_id == task.order_id
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(task),
            None => groups.push(vec![task]),
        }
    }
    groups
}

/// Does a task that its writer keeps, within a bound; what does not answer in time is asked again by the driver.
pub async fn attempt_now(app: &App, task: Task) {
    if tokio::time::timeout(AT_ONCE, attempt(app, vec![task]))
        .await
        .is_err()
    {
        tracing::warn!(
            event = "drive.slow",
            kind = task.kind.as_str(),
            "asked again later"
        );
    }
}

async fn attempt(app: &App, tasks: Vec<Task>) {
    let hindered = match ask(app, &tasks).await {
        Ok(hindered) => hindered,
        Err(hindrance) => {
            let hindrance = Arc::new(hindrance);
            let each = |task| (task, Arc::clone(&hindrance));
            tasks.into_iter().map(each).collect()
        }
    };
    for (task, hindrance) in hindered {
        if let Err(error) = put_off(app, task, &hindrance).await {
            tracing::warn!(
                event = "drive.failed",
                error = status::chain(&error),
                "asked again when its lease ends"
            );
        }
    }
}

/// Asks for tasks that are asked together; gives those among them that were hindered.
async fn ask(app: &App, tasks: &[Task]) -> Result<Vec<(Task, Arc<Hindrance>)>, Hindrance> {
    let Some(&task) = tasks.first() else {
        return Ok(Vec::new());
    };
    let asked: BoxFuture<'_, Result<(), Hindrance>> = match task.kind {
        OutwardKind::OpenPayable => Box::pin(money::open(app, task)),
        OutwardKind::CancelPayable | OutwardKind::ExpirePayable => Box::pin(money::withdraw(app, task)),
        OutwardKind::RequestRefund => Box::pin(money::refund(app, task)),
        OutwardKind::DepositDocument => {
            return Box::pin(document::deposit(app, task.order_id.unwrap_or_default(), tasks)).await;
        }
        OutwardKind::WithdrawDocument => Box::pin(document::withdraw(app, task)),
        OutwardKind::CreateShipment => Box::pin(parcel::create(app, task)),
        OutwardKind::HandOver => Box::pin(parcel::hand_over(app, task)),
    };
    let context = CallContext::new(CALL, task.id.to_string());
    context.scope(asked).await?;
    Ok(Vec::new())
}

async fn put_off(app: &App, task: Task, hindrance: &Hindrance) -> Result<(), AppError> {
    let now = app.ambient.now();
    let mut conn = app.pool.acquire().await?;
    if let Hindrance::Refused(reason) = hindrance {
        tracing::warn!(
            event = "drive.refused",
            kind = task.kind.as_str(),
            reason,
            "another service refuses for good"
        );
        outward::end(&mut conn, task.id, Some(reason), now).await?;
        return Ok(());
    }
    let word = word(hindrance);
    let pause = 2i64
        .checked_pow(u32::try_from(task.attempts).unwrap_or_default().saturating_add(1))
        .map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE));
    tracing::warn!(
        event = "drive.put_off",
        kind = task.kind.as_str(),
        hindrance = word,
        error = status::chain(hindrance),
        "asked again later"
    );
    metrics::counter!("outward_put_off_total", "kind" => task.kind.as_str()).increment(1);
    outward::put_off(&mut conn, task.id, &word, now + TimeDelta::seconds(pause)).await?;
    Ok(())
}

/// What a task waits for, in a word.
fn word(hindrance: &Hindrance) -> String {
    match hindrance {
        Hindrance::Missing(word) => (*word).to_owned(),
        Hindrance::App(AppError::Client(error)) => error.reason().unwrap_or_else(|| "UNAVAILABLE".to_owned()),
        _ => "INTERNAL".to_owned(),
    }
}
