//! From the key's answers to sealed documents: time-stamps, CMS, judgement, bytes in the store, then the rows that name them.
//!
//! No key is needed here, so this also runs by itself: for what waited for the time-stamp authority, and after a crash at any
//! point. Two processes may finish the same document at once; the first to commit wins, and the other's bytes are an object that no
//! row names.
//!
//! Batches are finished in portions: the time-stamps of a portion are asked for side by side, and its judgement stands on one
//! reading of the trust material. What is judged are bytes that this service has made of a file that a worker has taken in, so it
//! is judged in this process.

mod portion;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::{App, AppError};
use crate::domain::intent::Hindrance;
use crate::domain::issued_document::{IssuedDocument, Stage};
use crate::events::issued;
use crate::store::issued_documents;

/// Folder of sealed files.
pub(super) const FOLDER: &str = "issued";

/// When the job first looks after what an officer's own call has begun.
pub(super) const FIRST_RETRY: TimeDelta = TimeDelta::seconds(60);
/// Pause after a first failure; doubled with each further one.
const SHORTEST_PAUSE: TimeDelta = TimeDelta::seconds(5);
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(60);
/// Pause before a seal that cannot be finished is tried again: what was wrong may have been this service's own trust anchors.
const UNFINISHABLE_PAUSE: TimeDelta = TimeDelta::minutes(15);
/// How long one process keeps due documents from the others.
const LEASE: TimeDelta = TimeDelta::seconds(120);
/// Due documents taken at once.
const BATCH: i64 = 100;
/// Documents finished in one go.
const PORTION: usize = 25;
/// Portions under way at the same time: while one waits for the authority, another is judged.
const PORTIONS_AT_ONCE: usize = 2;
/// Pause of the job between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Why a document is not finished. Nothing is lost; it waits.
#[derive(Debug)]
struct Unfinished {
    /// Nothing is said where the next try may well succeed.
    hindrance: Option<Hindrance>,
    finding: String,
}

/// Finishes what is signed of these documents. What does not succeed is noted, and tried again by the job.
pub(super) async fn finish_all(app: &Arc<App>, ids: &[Uuid]) {
    let portions: Vec<_> = ids.chunks(PORTION).map(|ids| finish_portion(app, ids)).collect();
    let mut ended = stream::iter(portions).buffer_unordered(PORTIONS_AT_ONCE);
    while let Some(done) = ended.next().await {
        if let Err(error) = done {
            log(0, &wathiq_chassis::status::chain(&error));
        }
    }
}

async fn finish_portion(app: &Arc<App>, ids: &[Uuid]) -> Result<(), AppError> {
    let mut documents = {
        let mut conn = app.pool.acquire().await?;
        issued_documents::find_all(&mut conn, ids).await?
    };
    documents.retain(|document| matches!(document.stage, Stage::Signed(_)));
    for (document, unfinished) in portion::finish(app, documents).await? {
        log(1, &unfinished.finding);
        put_off(app, &document, &unfinished).await?;
    }
    Ok(())
}

/// Leaves word of what a document waits for, and when it is tried again; or ends it as failed.
async fn put_off(app: &App, document: &IssuedDocument, unfinished: &Unfinished) -> Result<(), AppError> {
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    if let Some(hindrance) = unfinished.hindrance {
        metrics::counter!("seals_hindered_total", "hindrance" => hindrance.as_str()).increment(1);
        if document.fails_with(hindrance) {
            if issued_documents::fail(&mut transaction, document.id, now).await? {
                wathiq_outbox::append(&mut transaction, &app.ambient, issued::failed(document)).await?;
            }
            return Ok(transaction.commit().await?);
        }
        issued_documents::note_hindrance(&mut transaction, &[document.id], hindrance).await?;
    }
    let until = now + pause_after(unfinished.hindrance, document.attempts);
    issued_documents::postpone(&mut transaction, &[document.id], until).await?;
    Ok(transaction.commit().await?)
}

fn pause_after(hindrance: Option<Hindrance>, attempts: i32) -> TimeDelta {
    if hindrance == Some(Hindrance::Unfinishable) {
        return UNFINISHABLE_PAUSE;
    }
    let pause = SHORTEST_PAUSE * 2_i32.pow(attempts.clamp(0, 8).unsigned_abs());
    pause.min(LONGEST_PAUSE)
}

fn log(documents: usize, finding: &str) {
    tracing::warn!(
        event = "issued.not_finished",
        documents,
        error = finding,
        "issued documents wait for their seal"
    );
}

/// Finishes what is due and returns how much was.
///
/// # Errors
/// [`AppError`] when the database does not answer; what a document meets is logged and tried again.
pub async fn sweep(app: &Arc<App>) -> Result<usize, AppError> {
    let now: DateTime<Utc> = app.ambient.now();
    let due = {
        let mut conn = app.pool.acquire().await?;
        issued_documents::claim_due(&mut conn, now, now + LEASE, BATCH).await?
    };
    let ids: Vec<Uuid> = due.iter().map(|due| due.id).collect();
    finish_all(app, &ids).await;
    Ok(ids.len())
}

/// Sweeps until shutdown.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    loop {
        match sweep(&app).await {
            // A full batch: there may be more.
            Ok(found)
                if i64::try_from(found).is_ok_and(|found| found >= BATCH) && !shutdown.is_cancelled() =>
            {
                continue;
            }
            Ok(_) => {}
            Err(error) => {
                let error = wathiq_chassis::status::chain(&error);
                tracing::warn!(
                    event = "issued.sweep_failed",
                    error,
                    "unfinished documents were not looked at"
                );
            }
        }
        let pause = shutdown.run_until_cancelled(tokio::time::sleep(PAUSE));
        if pause.await.is_none() {
            return;
        }
    }
}
