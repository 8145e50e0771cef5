//! The nightly comparison of our books with the providers' own. It mends nothing by itself but has looked at what it finds; an answer that cannot
//! be read is a difference too, and holds nothing up.

use chrono::{TimeDelta, Timelike};
use chrono_tz::Africa::Casablanca;
use futures::future;
use futures::stream::{self, StreamExt, TryStreamExt};
use uuid::Uuid;
use wathiq_chassis::civil_date;

use crate::app::{App, AppError, write};
use crate::domain::difference::{self, Reason};
use crate::providers::ProviderError;
use crate::store::{books, differences};

/// How far back attempts are compared.
const KEEPS: TimeDelta = TimeDelta::days(45);
/// How long after a session's end money may still move; what has ended without any and agrees then is not compared again.
const SETTLEMENT: TimeDelta = TimeDelta::days(3);
/// Attempts of one round.
const ROUND: i64 = 50;
/// Questions to providers at the same time.
const AT_ONCE: usize = 4;
/// How often a book that changes while its provider is asked is compared anew.
const PATIENCE: usize = 3;

/// Goes on with today's run from the hour on; gives how many attempts were compared. A run that was cut off, or met a provider that was down,
/// continues where it was.
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
            let attempts = differences::next(&mut conn, &run, now - KEEPS, SETTLEMENT, ROUND).await?;
            (run, attempts)
        };
        let Some((last, _)) = attempts.last().copied() else {
            let mut conn = app.pool.acquire().await?;
            differences::end(&mut conn, &run, app.ambient.now()).await?;
            return Ok(compared);
        };
        compared += stream::iter(attempts)
            .map(|(attempt_id, payable_id)| compare(app, payable_id, attempt_id))
            .buffer_unordered(AT_ONCE)
            .try_fold(0, |done, ()| future::ready(Ok(done + 1)))
            .await?;
        let mut conn = app.pool.acquire().await?;
        differences::advance(&mut conn, &run, last).await?;
    }
}

/// Compares one attempt. Where the provider has more than we know of, the attempt is looked at at once.
async fn compare(app: &App, payable_id: Uuid, attempt_id: Uuid) -> Result<(), AppError> {
    for _ in 0..PATIENCE {
        let asked = {
            let mut conn = app.pool.acquire().await?;
            books::find(&mut conn, payable_id).await?
        };
        let Some(asked) = asked else { return Ok(()) };
        let Some(attempt) = asked.attempt(attempt_id) else {
            return Ok(());
        };
        let down = |source| AppError::Provider {
            provider: attempt.provider,
            source,
        };
        let driver = app.providers.get(attempt.provider).ok_or_else(|| down(None))?;
        let status = match driver.status(attempt).await {
            Ok(status) => Some(status),
            Err(ProviderError::Unreadable(_)) => None,
            Err(error) => return Err(down(Some(error))),
        };

        let mut transaction = app.pool.begin().await?;
        let before = books::lock(&mut transaction, payable_id).await?;
        let Some(before) = before.filter(|before| *before == asked) else {
            transaction.rollback().await?;
            continue;
        };
        let now = app.ambient.now();
        let (looked_for, found) = match status {
            Some(status) => (
                Reason::ALL,
                difference::between(&before, attempt_id, &status, now, &app.policy),
            ),
            // What was found before stays: nothing says that it has gone.
            None => (
                &[Reason::Unreadable][..],
                vec![difference::unreadable(&before, attempt_id)],
            ),
        };
        let key = (payable_id, attempt_id);
        differences::replace(&mut transaction, key, looked_for, &found, now).await?;
        if found.is_empty() {
            differences::agreed(&mut transaction, attempt_id, now).await?;
        }
        if found
            .iter()
            .any(|difference| difference.reason == Reason::ProviderHasMore)
        {
            let mut book = before.clone();
            book.look_now(attempt_id, now);
            write::record(&mut transaction, &app.ambient, &before, book, &[]).await?;
        }
        transaction.commit().await?;
        return Ok(());
    }
    Ok(())
}
