//! Offices are closed on a day, or open after all: feasts of the Hijri calendar are known a few days before, and move by one.

use serde_json::json;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, write};
use crate::domain::working_days::is_weekend;
use crate::events::catalogue::holiday_changed;
use crate::store::catalogue::{self, Holiday};

/// Says it of a day. Deadlines that stand already stay; those that are set from now on know it.
///
/// # Errors
/// [`AppError`]: `HOLIDAY_STANDS` where that is what was said last, `DATE_PAST`, `WEEKEND_CLOSED`.
pub async fn set_holiday(
    app: &App,
    caller: &Caller,
    command: &Command,
    holiday: Holiday,
) -> Result<(), AppError> {
    authorise::platform(caller)?;
    let Begun::New(mut transaction) = idempotent::begin(app, command).await? else {
        return Ok(());
    };
    if holiday.day < civil_date(app.ambient.now()) {
        let description = "must be today or later: the past stays";
        return Err(AppError::invalid("day", "DATE_PAST", description));
    }
    if !catalogue::add_holiday(&mut transaction, &holiday).await? {
        if holiday.working && is_weekend(holiday.day) {
            let description = "Saturdays and Sundays are never working days";
            return Err(AppError::invalid("day", "WEEKEND_CLOSED", description));
        }
        return Err(AppError::Taken {
            reason: "HOLIDAY_STANDS",
            description: "the day is known to be so already",
        });
    }
    wathiq_outbox::append(&mut transaction, &app.ambient, holiday_changed(&holiday)).await?;
    let subject = write::Subject {
        aggregate: "holiday",
        id: holiday.id,
    };
    let details = json!({ "day": holiday.day, "working": holiday.working });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "holiday.set",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, Vec::new()).await?;
    Ok(())
}
