//! The nightly comparison of our books with the providers' own. It mends nothing by itself but has looked at what it finds.

use chrono::{TimeDelta, Timelike};
use chrono_tz::Africa::Casablanca;
use uuid::Uuid;
use wathiq_chassis::civil_date;

use crate::app::{App, AppError, write};
use crate::domain::difference::{self, Reason};
use crate::store::{books, differences};

/// How far back attempts are compared.
const KEEPS: TimeDelta = TimeDelta::days(45);
/// Attempts of one round.
const ROUND: i64 = 50;
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
            let attempts = differences::next(&mut conn, &run, now, KEEPS, ROUND).await?;
            (run, attempts)
        };
        let Some((last, _)) = attempts.last().copied() else {
            let mut conn = app.pool.acquire().await?;
            differences::end(&mut conn, &run, app.ambient.now()).await?;
            return Ok(compared);
        };
        for (attempt_id, payable_id) in attempts {
            compare(app, payable_id, attempt_id).await?;
            compared += 1;
        }
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
        let status = driver.status(attempt).await.map_err(|error| down(Some(error)))?;

        let mut transaction = app.pool.begin().await?;
        let before = books::lock(&mut transaction, payable_id).await?;
        let Some(before) = before.filter(|before| *before == asked) else {
            transaction.rollback().await?;
            continue;
        };
        let now = app.ambient.now();
        let found = difference::between(&before, attempt_id, &status, now, &app.policy);
        let key = (payable_id, attempt_id);
        differences::replace(&mut transaction, key, Reason::ALL, &found, now).await?;
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
