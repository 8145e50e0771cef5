//! Deletes the pictures of regions that agents looked at but that no decision rests on.

use chrono::TimeDelta;
use data_encoding::HEXLOWER;
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use crate::app::{App, AppError};
use crate::store::reviews::{self, Picture};

/// Folder of the pictures.
pub const FOLDER: &str = "reviews";
/// Between the storing of a picture and the row that names it lie seconds.
const OLD_ENOUGH: TimeDelta = TimeDelta::hours(1);
/// How many keys are compared at a time.
const BATCH: usize = 500;

/// Where the picture of a request's region is kept.
pub(super) fn key(request_id: Uuid, sha256: &[u8; 32]) -> String {
    format!("{FOLDER}/{request_id}/{}", HEXLOWER.encode(sha256))
}

/// The picture that a key names; none where this program did not write it.
fn picture(key: String) -> Option<Picture> {
    let (request_id, sha256) = key.strip_prefix(FOLDER)?.strip_prefix('/')?.split_once('/')?;
    Some(Picture {
        request_id: request_id.parse().ok()?,
        sha256: HEXLOWER.decode(sha256.as_bytes()).ok()?,
        object_key: key,
    })
}

/// Keeps what a recorded comparison names, for as long as the request, and what agents of an undecided request have been shown
/// last; deletes the rest and returns how much.
///
/// # Errors
/// [`AppError`].
pub async fn sweep_reviews(app: &App) -> Result<usize, AppError> {
    let before = app.ambient.now() - OLD_ENOUGH;
    let mut batches = app
        .objects
        .list(FOLDER)
        .try_filter(|listed| futures::future::ready(listed.modified_at < before))
        .try_filter_map(|listed| futures::future::ready(Ok(picture(listed.key))))
        .try_chunks(BATCH)
        .boxed();
    let mut deleted = 0;
    while let Some(pictures) = batches
        .try_next()
        .await
        .map_err(|error| AppError::Storage(error.1))?
    {
        let needless = {
            let mut conn = app.pool.acquire().await?;
            reviews::needless(&mut conn, &pictures).await?
        };
        for key in &needless {
            app.objects.delete(key).await?;
        }
        deleted += needless.len();
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_request_and_picture() {
        let (request_id, sha256) = (Uuid::from_u128(7), [0xab; 32]);
        let key = key(request_id, &sha256);
        let found = picture(key.clone()).unwrap();
        assert_eq!(
            (found.request_id, found.sha256, found.object_key),
            (request_id, sha256.to_vec(), key)
        );
        for foreign in ["reviews/x", "reviews/x/y", "sealed/x/y", "reviews"] {
            assert!(picture(foreign.to_owned()).is_none(), "{foreign}");
        }
    }
}
