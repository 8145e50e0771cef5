//! The nightly comparison of our books with the providers' own. It mends nothing by itself but has looked at what it finds; what a provider does not
//! say, or says so that it cannot be read, is a difference too, and holds nothing up.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Africa::Casablanca;
use futures::stream::{self, StreamExt, TryStreamExt};
use uuid::Uuid;
use wathiq_chassis::civil_date;

use crate::app::ask::{self, Told};
use crate::app::{App, AppError, write};
use crate::domain::book::Book;
use crate::domain::difference::{self, Difference, Reason};
use crate::domain::provider::Provider;
use crate::store::differences::Run;
use crate::store::{books, differences};

/// How far back attempts are compared.
const KEEPS: TimeDelta = TimeDelta::days(45);
/// How long a run waits for a provider that is down, before it goes on without it.
const WAITS: TimeDelta = TimeDelta::hours(6);
/// Attempts of one round.
const ROUND: i64 = 50;
/// Questions to providers at the same time.
const AT_ONCE: usize = 4;
/// How often a book that changes while its provider is asked is compared anew.
const PATIENCE: usize = 3;

/// Goes on with the run that has not ended, or today's, from the hour on; gives how many attempts were compared. A run that was cut off, or
/// met a provider that was down, continues where it was. One in which a provider did not answer about some attempts ends incomplete.
///
/// # Errors
/// [`AppError::Provider`] while a provider is down.
pub async fn reconcile(app: &App, hour: u32) -> Result<usize, AppError> {
    let now = app.ambient.now();
    if now.with_timezone(&Casablanca).hour() < hour {
        return Ok(0);
    }
    let mut compared = 0;
    loop {
        let (run, attempts) = {
            let mut conn = app.pool.acquire().await?;
            let run = differences::begin(&mut conn, civil_date(now), now).await?;
            if run.ended_at.is_some() {
                return Ok(compared);
            }
            let attempts = differences::next(&mut conn, &run, now - KEEPS, ROUND).await?;
            (run, attempts)
        };
        let Some((last, _)) = attempts.last().copied() else {
            end(app, &run).await?;
            continue;
        };
        compared += round(app, &run, attempts, last).await?;
    }
}

async fn end(app: &App, run: &Run) -> Result<(), AppError> {
    let mut conn = app.pool.acquire().await?;
    differences::end(&mut conn, run, app.ambient.now()).await?;
    if run.unanswered > 0 {
        tracing::warn!(
            event = "reconciliation.incomplete",
            day = %run.day,
            unanswered = run.unanswered,
            "a provider did not answer about some attempts"
        );
    }
    Ok(())
}

/// Asks about some attempts, and compares them; gives how many.
async fn round(app: &App, run: &Run, attempts: Vec<(Uuid, Uuid)>, last: Uuid) -> Result<usize, AppError> {
    let heard: Vec<Heard> = stream::iter(attempts)
        .map(|(attempt_id, payable_id)| hear(app, payable_id, attempt_id))
        .buffered(AT_ONCE)
        .try_filter_map(async |heard| Ok(heard))
        .try_collect()
        .await?;
    if app.ambient.now() < run.started_at + WAITS {
        ask::check_up(heard.iter().map(|heard| (heard.provider, &heard.told)))?;
    }
    let (compared, mut unanswered) = (heard.len(), 0);
    for heard in heard {
        unanswered += i32::from(compare(app, heard).await? == Outcome::Unanswered);
    }
    let mut conn = app.pool.acquire().await?;
    differences::advance(&mut conn, run, last, unanswered).await?;
    Ok(compared)
}

/// What was heard about an attempt, and the book as it was when it was asked about.
struct Heard {
    asked: Book,
    attempt_id: Uuid,
    provider: Provider,
    told: Told,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Compared,
    Unanswered,
}

async fn hear(app: &App, payable_id: Uuid, attempt_id: Uuid) -> Result<Option<Heard>, AppError> {
    let asked = {
        let mut conn = app.pool.acquire().await?;
        books::find(&mut conn, payable_id).await?
    };
    let Some(asked) = asked else { return Ok(None) };
    let Some(attempt) = asked.attempt(attempt_id) else {
        return Ok(None);
    };
    let told = ask::ask(app, attempt).await;
    Ok(Some(Heard {
        provider: attempt.provider,
        asked,
        attempt_id,
        told,
    }))
}

/// Compares one attempt, asking anew where its book has changed meanwhile.
async fn compare(app: &App, mut heard: Heard) -> Result<Outcome, AppError> {
    let (payable_id, attempt_id) = (heard.asked.payable.id, heard.attempt_id);
    for _ in 0..PATIENCE {
        if let Some(outcome) = write_down(app, &heard).await? {
            return Ok(outcome);
        }
        match hear(app, payable_id, attempt_id).await? {
            Some(anew) => heard = anew,
            None => break,
        }
    }
    Ok(Outcome::Compared)
}

/// Writes down what differs, and has looked at where money is at stake; nothing where the book has changed since it was asked about.
async fn write_down(app: &App, heard: &Heard) -> Result<Option<Outcome>, AppError> {
    let (asked, attempt_id) = (&heard.asked, heard.attempt_id);
    let mut transaction = app.pool.begin().await?;
    let before = books::lock(&mut transaction, asked.payable.id).await?;
    let Some(before) = before.filter(|before| before == asked) else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let now = app.ambient.now();
    let (looked_for, found) = differing(app, &before, heard, now);
    let key = (asked.payable.id, attempt_id);
    differences::replace(&mut transaction, key, looked_for, &found, now).await?;
    let at_stake = |difference: &Difference| {
        matches!(
            difference.reason,
            Reason::ProviderHasMore | Reason::ProviderHasLess
        )
    };
    if found.iter().any(at_stake) {
        let mut book = before.clone();
        book.look_now(attempt_id, now);
        write::record(&mut transaction, &app.ambient, &before, book, &[]).await?;
    } else if found.is_empty() && difference::settled(&before, attempt_id, now) {
        differences::settle(&mut transaction, attempt_id).await?;
    }
    transaction.commit().await?;
    Ok(Some(match heard.told {
        Told::Unanswered | Told::Gone => Outcome::Unanswered,
        Told::Status(_) | Told::Unreadable => Outcome::Compared,
    }))
}

/// The differences of an attempt, and which of them were looked for.
fn differing(
    app: &App,
    before: &Book,
    heard: &Heard,
    now: DateTime<Utc>,
) -> (&'static [Reason], Vec<Difference>) {
    /// What was found before stays: nothing says that it has gone.
    const NOTHING_SAID: &[Reason] = &[Reason::Unreadable, Reason::Unanswered];
    let untold = |reason| vec![difference::untold(before, heard.attempt_id, reason)];
    match &heard.told {
        Told::Status(status) => (
            Reason::ALL,
            difference::between(before, heard.attempt_id, status, now, &app.policy),
        ),
        Told::Unreadable => (NOTHING_SAID, untold(Reason::Unreadable)),
        Told::Unanswered | Told::Gone => (NOTHING_SAID, untold(Reason::Unanswered)),
    }
}
