use chrono::TimeDelta;

use super::{App, Error};
use crate::store::{events, messages};

/// Rows of one statement.
const CHUNK: u64 = 1_000;

/// How long is kept what is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Ids and answers of the carrier's messages. A message told again later is taken anew, and its events are known by their content.
    pub messages: TimeDelta,
    /// Events for numbers that are not ours.
    pub unknown_items: TimeDelta,
}

/// Forgets what was kept for its time, and says how many rows that was.
///
/// # Errors
/// [`Error`]; what was forgotten before stays so.
pub async fn forget(app: &App) -> Result<u64, Error> {
    let now = app.ambient.now();
    let mut conn = app.pool.acquire().await?;
    let limit = CHUNK.cast_signed();
    let mut forgotten = 0;
    loop {
        let messages = messages::forget(&mut conn, now - app.retention.messages, limit).await?;
        let unknown = events::forget_unknown(&mut conn, now - app.retention.unknown_items, limit).await?;
        forgotten += messages + unknown;
        if messages < CHUNK && unknown < CHUNK {
            return Ok(forgotten);
        }
    }
}
