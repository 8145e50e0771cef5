//! The ceiling inside Morocco is moved from a date on.

use chrono::Days;
use serde_json::json;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use super::set_fee::guarded;
use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, write};
use crate::domain::fault::Faults;
use crate::domain::fee::Ceiling;
use crate::events::catalogue::ceiling_changed;
use crate::store::catalogue;

/// Moves the ceiling, from tomorrow at the soonest, and names the text that does so.
///
/// # Errors
/// [`AppError`]: `FEE_ABOVE_CEILING` where a fee that stands then is higher, `CEILING_EXISTS`, `VALID_FROM_PAST`.
pub async fn set_fee_ceiling(
    app: &App,
    caller: &Caller,
    command: &Command,
    ceiling: Ceiling,
    legal_reference: &str,
) -> Result<(), AppError> {
    authorise::platform(caller)?;
    let Begun::New(mut transaction) = idempotent::begin(app, command).await? else {
        return Ok(());
    };
    let tomorrow = civil_date(app.ambient.now()) + Days::new(1);
    let mut faults = Faults::default();
    if ceiling.centimes <= 0 {
        faults.note("ceiling_centimes", "OUT_OF_RANGE", "must be positive");
    }
    if ceiling.valid_from < tomorrow {
        faults.note("valid_from", "VALID_FROM_PAST", "must be tomorrow or later");
    }
    if !faults.is_empty() {
        return Err(AppError::faults(faults));
    }
    let id = app.ambient.uuid_v7();
    match catalogue::add_ceiling(&mut transaction, id, &ceiling, legal_reference).await {
        Ok(true) => {}
        Ok(false) => {
            return Err(AppError::Taken {
                reason: "CEILING_EXISTS",
                description: "there is a ceiling from that date on",
            });
        }
        Err(error) => return Err(guarded(error)),
    }
    let event = ceiling_changed(id, &ceiling);
    wathiq_outbox::append(&mut transaction, &app.ambient, event).await?;
    let subject = write::Subject {
        aggregate: "fee_ceiling",
        id,
    };
    let details = json!({ "centimes": ceiling.centimes, "valid_from": ceiling.valid_from, "legal_reference": legal_reference });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "fee_ceiling.set",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, Vec::new()).await?;
    Ok(())
}
