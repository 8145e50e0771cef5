//! Files that nothing needs any more are deleted.

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt};
use wathiq_chassis::status;

use crate::app::{App, AppError, attach_scan, draw_document, upload_evidence};
use crate::store::{StoreError, evidence, orders, scans};

/// Files looked at in one go.
const AT_ONCE: usize = 100;
/// Longer than any upload takes.
const UPLOAD: TimeDelta = TimeDelta::hours(1);

/// Whose files.
#[derive(Debug, Clone, Copy)]
enum Files {
    Evidence,
    Scans,
    Documents,
}

impl Files {
    fn folder(self) -> &'static str {
        match self {
            Self::Evidence => upload_evidence::FOLDER,
            Self::Scans => attach_scan::FOLDER,
            Self::Documents => draw_document::FOLDER,
        }
    }

    /// Which of these keys a row names.
    async fn named(self, app: &App, keys: &[String]) -> Result<Vec<String>, StoreError> {
        let mut conn = app.pool.acquire().await?;
        match self {
            Self::Evidence => evidence::named(&mut conn, keys).await,
            Self::Scans => scans::named(&mut conn, keys).await,
            Self::Documents => {
                let tasks: Vec<_> = keys
                    .iter()
                    .filter_map(|key| draw_document::task_of(key))
                    .collect();
                let (mut named, pending) = orders::documents_named(&mut conn, keys, &tasks).await?;
                named.extend(pending.into_iter().map(draw_document::key));
                Ok(named)
            }
        }
    }
}

/// Deletes evidence that no order has named in time, and files of uploads that ended before their row. Gives their number.
///
/// # Errors
/// [`AppError`].
pub async fn sweep_evidence(app: &App) -> Result<usize, AppError> {
    let mut swept = 0;
    loop {
        let keys = {
            let mut conn = app.pool.acquire().await?;
            evidence::delete_expired(&mut conn, app.ambient.now(), AT_ONCE as i64).await?
        };
        if keys.is_empty() {
            break;
        }
        for key in &keys {
            // What stays behind has no row any more, and goes with the next sweep.
            if let Err(error) = app.objects.delete(key).await {
                tracing::warn!(
                    event = "evidence.delete_failed",
                    error = status::chain(&error),
                    "an object stays for now"
                );
            }
        }
        swept += keys.len();
    }
    Ok(swept + sweep_unnamed(app, Files::Evidence).await?)
}

/// Deletes scans that no row names: of uploads that ended before their row. Gives their number.
///
/// # Errors
/// [`AppError`].
pub async fn sweep_scans(app: &App) -> Result<usize, AppError> {
    sweep_unnamed(app, Files::Scans).await
}

/// Deletes drawn documents that no line names: of a process that ended before their line was written, and drafts that were drawn anew; not of
/// tasks that are still to be done. Gives their number.
///
/// # Errors
/// [`AppError`].
pub async fn sweep_documents(app: &App) -> Result<usize, AppError> {
    sweep_unnamed(app, Files::Documents).await
}

async fn sweep_unnamed(app: &App, files: Files) -> Result<usize, AppError> {
    let before = app.ambient.now() - UPLOAD;
    let mut old = app
        .objects
        .list(files.folder())
        .try_filter(|listed| std::future::ready(listed.modified_at < before))
        .try_chunks(AT_ONCE);
    let mut swept = 0;
    while let Some(chunk) = old.next().await {
        let keys: Vec<String> = chunk
            .map_err(|error| error.1)?
            .into_iter()
            .map(|listed| listed.key)
            .collect();
        let named = files.named(app, &keys).await?;
        for key in keys.iter().filter(|key| !named.contains(key)) {
            app.objects.delete(key).await?;
            swept += 1;
        }
    }
    Ok(swept)
}
