//! Deletes uploaded files that no row names: what a broken upload or a crash has left.

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt};

use crate::app::upload_document::FOLDER;
use crate::app::{App, AppError};
use crate::store::documents;

/// An upload and its intake end long before.
const OLD_ENOUGH: TimeDelta = TimeDelta::hours(1);
/// How many keys are compared at a time.
const BATCH: usize = 500;

/// Deletes orphans and unfinished files older than an hour and returns their number.
///
/// # Errors
/// [`AppError`].
pub async fn sweep_objects(app: &App) -> Result<usize, AppError> {
    let before = app.ambient.now() - OLD_ENOUGH;
    let mut batches = app
        .objects
        .list(FOLDER)
        .try_filter(|listed| futures::future::ready(listed.modified_at < before))
        .map_ok(|listed| listed.key)
        .try_chunks(BATCH)
        .boxed();
    let mut deleted = app.objects.sweep_unfinished(before).await?;
    while let Some(keys) = batches
        .try_next()
        .await
        .map_err(|error| AppError::Storage(error.1))?
    {
        let orphans = {
            let mut conn = app.pool.acquire().await?;
            documents::orphans(&mut conn, &keys).await?
        };
        for key in &orphans {
            app.objects.delete(key).await?;
        }
        deleted += orphans.len();
    }
    Ok(deleted)
}
