use chrono::TimeDelta;
use wathiq_chassis::status::chain;

use super::{App, Error};
use crate::carrier::Announcement;
use crate::domain::deposit_list::{csv, pause_after};
use crate::store::{deposit_lists, shipments};

/// How long one process may take to announce a list before another tries.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Announces the list that has waited longest to the carrier, and says whether there was one. A carrier that is down leaves
/// the list waiting, with the reason in its row.
///
/// # Errors
/// [`Error`] of our own side.
pub async fn announce_next(app: &App) -> Result<bool, Error> {
    let now = app.ambient.now();
    // Committed before the carrier is asked: no transaction waits for a network.
    let mut conn = app.pool.acquire().await?;
    let Some((id, attempts)) = deposit_lists::take_waiting(&mut conn, now, now + LEASE).await? else {
        return Ok(false);
    };
    let list = deposit_lists::get(&mut conn, id)
        .await?
        .ok_or_else(|| Error::no_deposit_list(id))?;
    let held = shipments::of_deposit_list(&mut conn, id).await?;
    drop(conn);
    let announcement = Announcement {
        id,
        number: list.written_number(),
        office_id: list.office_id,
        csv: csv(&held).map_err(Error::Csv)?,
    };
    let outcome = app.carrier.announce(announcement, app.ambient.now()).await;
    let mut conn = app.pool.acquire().await?;
    let now = app.ambient.now();
    match outcome {
        Ok(()) => deposit_lists::announced(&mut conn, id, now).await?,
        Err(error) => {
            let pause = TimeDelta::from_std(pause_after(attempts + 1)).unwrap_or(LEASE);
            tracing::warn!(
                event = "deposit_list.waits",
                deposit_list_id = %id,
                attempts = attempts + 1,
                error = chain(&error),
                "the carrier did not take a deposit list; it is announced again"
            );
            deposit_lists::waits(&mut conn, id, now + pause, error.hindrance()).await?;
        }
    }
    Ok(true)
}
