//! What is done at the providers by itself: an attempt that is due is looked at, and told what its book wants.
//!
//! A step asks for the status, writes down what it says and what is to be done, does it, and writes down what became of it. No network call
//! is made inside a transaction; a lease on the attempt keeps steps of the same attempt one after the other. A step that a crash cut off is
//! begun anew when its lease has lapsed, and begins with the status again.

use std::time::Duration;

use chrono::TimeDelta;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::app::{App, AppError, write};
use crate::domain::book::Book;
use crate::domain::fact::Fact;
use crate::domain::provider::{Act, Outcome, Status};
use crate::providers::ProviderError;
use crate::store::due::{self, Lease};
use crate::store::{books, sales};

/// How long a lease lasts.
const LEASE: TimeDelta = TimeDelta::seconds(120);
/// How long a step may take; far below the lease, so that nothing is sent when it has lapsed.
const STEP: Duration = Duration::from_secs(60);

/// Works on the attempt that has been due for longest. `false` when none is.
///
/// # Errors
/// [`AppError`]; the attempt is taken up again when its lease has lapsed.
pub async fn work(app: &App) -> Result<bool, AppError> {
    let lease = {
        let mut conn = app.pool.acquire().await?;
        due::take(&mut conn, app.ambient.uuid_v7(), app.ambient.now(), LEASE).await?
    };
    let Some(lease) = lease else { return Ok(false) };
    tokio::time::timeout(STEP, step(app, lease))
        .await
        .map_err(|_| AppError::WorkLost)??;
    Ok(true)
}

async fn step(app: &App, lease: Lease) -> Result<(), AppError> {
    let book = {
        let mut conn = app.pool.acquire().await?;
        books::find(&mut conn, lease.payable_id).await?
    };
    let Some(book) = book else { return Ok(()) };
    let Some(attempt) = book.attempt(lease.attempt_id) else {
        return Ok(());
    };
    let driver = app.providers.get(attempt.provider);
    let status = match driver {
        Some(driver) => driver.status(attempt).await,
        None => Err(ProviderError::Unreadable("the provider is not configured")),
    };
    let Some((book, act)) = look(app, lease, status).await? else {
        return Ok(());
    };
    let (Some(driver), Some(act), Some(attempt)) = (driver, act, book.attempt(lease.attempt_id)) else {
        return Ok(());
    };
    let outcome = driver.act(&book, attempt, &act).await;
    settle(app, lease, &act, outcome).await
}

/// Writes down what the status says, and what is to be done. Gives the lease back where nothing is.
async fn look(
    app: &App,
    lease: Lease,
    status: Result<Status, ProviderError>,
) -> Result<Option<(Book, Option<Act>)>, AppError> {
    let (now, policy) = (app.ambient.now(), &app.policy);
    let mut transaction = app.pool.begin().await?;
    let before = books::lock(&mut transaction, lease.payable_id).await?;
    if !due::holds(&mut transaction, lease).await? {
        return Ok(None);
    }
    let Some(before) = before else { return Ok(None) };
    let mut book = before.clone();
    let (facts, act) = match status {
        Ok(mut status) => {
            own(&mut transaction, &before, lease.attempt_id, &mut status).await?;
            let new_id = || app.ambient.uuid_v7();
            let facts = book.observe(lease.attempt_id, &status, now, policy, new_id);
            let act = book.next_act(lease.attempt_id, &status, now, policy);
            report_loss(&book, &facts);
            (facts, act)
        }
        Err(error) => {
            tracing::warn!(
                event = "provider.no_status",
                attempt_id = %lease.attempt_id,
                error = wathiq_chassis::status::chain(&error),
                "asked again later"
            );
            book.unanswered(lease.attempt_id, now, policy);
            (Vec::new(), None)
        }
    };
    let book = write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
    write::record_stuck(&mut transaction, &app.ambient, &book, lease.attempt_id).await?;
    if act.is_none() {
        due::release(&mut transaction, lease).await?;
    }
    transaction.commit().await?;
    Ok(Some((book, act)))
}

/// Leaves of a status what is this attempt's own: a transaction that belongs to another one pays nothing here, and is not given back here.
async fn own(
    conn: &mut PgConnection,
    book: &Book,
    attempt_id: Uuid,
    status: &mut Status,
) -> Result<(), AppError> {
    let Some(attempt) = book.attempt(attempt_id) else {
        return Ok(());
    };
    let named: Vec<&str> = status
        .live()
        .map(|sale| sale.transaction.as_str())
        .filter(|transaction| !attempt.succeeded_as(transaction))
        .collect();
    let others = sales::claim(conn, attempt.provider, attempt_id, &named).await?;
    status.sales.retain(|sale| !others.contains(&sale.transaction));
    Ok(())
}

fn report_loss(book: &Book, facts: &[Fact]) {
    if facts.iter().any(|fact| matches!(fact, Fact::PaymentLost { .. })) {
        tracing::error!(
            event = "payment.lost",
            payable_id = %book.payable.id,
            owner = book.payable.owner,
            "the provider gave a payment back by itself"
        );
    }
}

/// Writes down what became of an act, and gives the lease back.
async fn settle(app: &App, lease: Lease, act: &Act, outcome: Outcome) -> Result<(), AppError> {
    let mut transaction = app.pool.begin().await?;
    let before = books::lock(&mut transaction, lease.payable_id).await?;
    if !due::holds(&mut transaction, lease).await? {
        return Ok(());
    }
    let Some(before) = before else { return Ok(()) };
    let mut book = before.clone();
    let facts = book.acted(lease.attempt_id, act, outcome, app.ambient.now(), &app.policy);
    let book = write::record(&mut transaction, &app.ambient, &before, book, &facts).await?;
    write::record_stuck(&mut transaction, &app.ambient, &book, lease.attempt_id).await?;
    due::release(&mut transaction, lease).await?;
    transaction.commit().await?;
    Ok(())
}

/// Works until nothing is due; gives how many steps that took.
///
/// # Errors
/// [`AppError`].
pub async fn work_off(app: &App) -> Result<usize, AppError> {
    let mut steps = 0;
    while work(app).await? {
        steps += 1;
    }
    Ok(steps)
}
