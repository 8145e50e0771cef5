use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{App, Error};
use crate::domain::session::SessionEnd;
use crate::domain::vocabulary::{Surface, Word};
use crate::events::publish;
use crate::store::{confirmations, purge, sessions};

/// Rotates signing keys where due, ends sessions and confirmations that grew old, and deletes what is too old. One replica does
/// it; the others find it done. Returns the number of rows changed.
///
/// # Errors
/// When the database does not answer.
pub async fn tidy(app: &App) -> Result<u64, Error> {
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    if !purge::try_lead(&mut transaction).await? {
        return Ok(0);
    }
    app.rotate(&mut transaction, now).await?;
    let ended = end_what_expired(app, &mut transaction, now).await?;
    let rows = ended + purge::purge(&mut transaction, now).await?;
    transaction.commit().await?;
    Ok(rows)
}

async fn end_what_expired(app: &App, conn: &mut PgConnection, now: DateTime<Utc>) -> Result<u64, Error> {
    let mut events = Vec::new();
    for surface in Surface::ALL.iter().copied() {
        let ended = sessions::end_expired(conn, surface, app.policy.lifetime(surface), now).await?;
        events.extend(
            ended
                .into_iter()
                .map(|id| publish::session_ended(id, SessionEnd::Expired)),
        );
    }
    for (id, version) in confirmations::expire(conn, now).await? {
        events.push(publish::confirmation_expired(id, version));
    }
    let count = events.len() as u64;
    for event in events {
        wathiq_outbox::append(&mut *conn, &app.ambient, event).await?;
    }
    Ok(count)
}
