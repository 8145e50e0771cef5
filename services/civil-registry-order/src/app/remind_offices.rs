//! Each working day the offices with waiting lines are written to, once.

use chrono::Timelike;
use chrono_tz::Africa::Casablanca;
use wathiq_chassis::civil_date;

use crate::app::{App, AppError};
use crate::events::offices::reminded;
use crate::store::{catalogue, offices};

/// Writes the day's reminders; gives their number.
///
/// # Errors
/// [`AppError`].
pub async fn remind_offices(app: &App) -> Result<usize, AppError> {
    let now = app.ambient.now();
    let day = civil_date(now);
    let mut conn = app.pool.acquire().await?;
    let hour = now.with_timezone(&Casablanca).hour();
    if hour < u32::from(app.orders.reminder_hour)
        || !catalogue::calendar(&mut conn).await?.is_working_day(day)
    {
        return Ok(0);
    }
    let waiting = offices::without_reminder(&mut conn, day, now).await?;
    drop(conn);
    let mut written = 0;
    for (office_id, waiting, late) in waiting {
        let id = app.ambient.uuid_v7();
        let number = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        let mut transaction = app.pool.begin().await?;
        let counts = (number(waiting), number(late));
        if !offices::add_reminder(&mut transaction, id, office_id, day, counts).await? {
            continue;
        }
        let event = reminded(id, office_id, counts.0);
        wathiq_outbox::append(&mut transaction, &app.ambient, event).await?;
        transaction.commit().await?;
        written += 1;
    }
    Ok(written)
}
