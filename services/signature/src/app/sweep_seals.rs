//! Deletes what sealing leaves behind: prepared files that no open intent needs, sealed files that no row names (a race's
//! second, a crash's last), and links that have expired.

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt};

use crate::app::{App, AppError, deposit_issued, finish_issued};
use crate::store::{intents, issued_documents, links, revisions};

/// Between the storing of a file and the row that names it lie seconds.
const OLD_ENOUGH: TimeDelta = TimeDelta::hours(1);
/// How many keys are compared at a time.
const BATCH: usize = 500;

/// Where a file of a seal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    Prepared,
    Sealed,
    IssuedPrepared,
    Issued,
}

impl Folder {
    const ALL: [Self; 4] = [Self::Prepared, Self::Sealed, Self::IssuedPrepared, Self::Issued];

    fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Sealed => "sealed",
            Self::IssuedPrepared => deposit_issued::FOLDER,
            Self::Issued => finish_issued::FOLDER,
        }
    }
}

/// Deletes and returns how much.
///
/// # Errors
/// [`AppError`].
pub async fn sweep_seals(app: &App) -> Result<usize, AppError> {
    let mut deleted = 0;
    for folder in Folder::ALL {
        deleted += sweep(app, folder).await?;
    }
    let mut conn = app.pool.acquire().await?;
    let forgotten = links::forget_expired(&mut conn, app.ambient.now()).await?;
    deleted += usize::try_from(forgotten).unwrap_or(usize::MAX);
    Ok(deleted)
}

async fn sweep(app: &App, folder: Folder) -> Result<usize, AppError> {
    let before = app.ambient.now() - OLD_ENOUGH;
    let mut batches = app
        .objects
        .list(folder.name())
        .try_filter(|listed| futures::future::ready(listed.modified_at < before))
        .map_ok(|listed| listed.key)
        .try_chunks(BATCH)
        .boxed();
    let mut deleted = 0;
    while let Some(keys) = batches
        .try_next()
        .await
        .map_err(|error| AppError::Storage(error.1))?
    {
        let orphans = {
            let mut conn = app.pool.acquire().await?;
            match folder {
                Folder::Prepared => intents::needless(&mut conn, &keys).await?,
                Folder::Sealed => revisions::orphans(&mut conn, &keys).await?,
                Folder::IssuedPrepared => issued_documents::needless(&mut conn, &keys).await?,
                Folder::Issued => issued_documents::orphans(&mut conn, &keys).await?,
            }
        };
        for key in &orphans {
            app.objects.delete(key).await?;
        }
        deleted += orphans.len();
    }
    Ok(deleted)
}
