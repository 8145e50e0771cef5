//! A fee is set from a date on.

use serde_json::json;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, write};
use crate::domain::fault::Faults;
use crate::domain::fee::{COPIES, Fee};
use crate::events::catalogue::fee_changed;
use crate::store::{StoreError, broken_constraint, catalogue};

/// Sets the fee.
///
/// # Errors
/// [`AppError`]: `FEE_ABOVE_CEILING`, `FEE_EXISTS`, `DATE_PAST`, and everything that is wrong with the fields.
pub async fn set_fee(app: &App, caller: &Caller, command: &Command, fee: Fee) -> Result<(), AppError> {
    authorise::platform(caller)?;
    let Begun::New(mut transaction) = idempotent::begin(app, command).await? else {
        return Ok(());
    };
    let today = civil_date(app.ambient.now());
    let mut faults = Faults::default();
    let kinds = catalogue::kinds(&mut transaction).await?;
    if !kinds.iter().any(|kind| kind.code == fee.document_kind) {
        faults.note(
            "document_kind",
            "DOCUMENT_KIND_UNKNOWN",
            "must be a kind of the catalogue",
        );
    }
    if !catalogue::zones(&mut transaction).await?.contains(&fee.zone) {
        faults.note("zone", "ZONE_UNKNOWN", "must be a destination zone");
    }
    if !COPIES.contains(&fee.from_copies) {
        faults.note("from_copies", "OUT_OF_RANGE", "must be 1 to 10");
    }
    if !fee.price.is_sound() {
        faults.note(
            "price",
            "PRICE_UNSOUND",
            "the amount must be positive and the sum of its parts",
        );
    }
    if fee.valid_from < today {
        faults.note(
            "valid_from",
            "DATE_PAST",
            "must be today or later: the past stays",
        );
    }
    if !faults.is_empty() {
        return Err(AppError::faults(faults));
    }
    let mut schedule = catalogue::schedule(&mut transaction).await?;
    schedule.fees.push(fee.clone());
    if !schedule.is_below_ceilings() {
        return Err(above_ceiling());
    }
    let id = app.ambient.uuid_v7();
    match catalogue::add_fee(&mut transaction, id, &fee).await {
        Ok(true) => {}
        Ok(false) => {
            return Err(AppError::Taken {
                reason: "FEE_EXISTS",
                description: "there is a fee from that date on",
            });
        }
        Err(error) => return Err(guarded(error)),
    }
    wathiq_outbox::append(&mut transaction, &app.ambient, fee_changed(id, &fee)).await?;
    let subject = write::Subject { aggregate: "fee", id };
    let details = json!({ "document_kind": fee.document_kind, "zone": fee.zone, "amount": fee.price.amount, "valid_from": fee.valid_from });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "fee.set",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, Vec::new()).await?;
    Ok(())
}

fn above_ceiling() -> AppError {
    AppError::refused(
        "FEE_ABOVE_CEILING",
        "price",
        "inside Morocco an act never costs more than the ceiling in force: move the ceiling first",
    )
}

/// The database's own guard says the same to whoever comes at the same moment.
pub(super) fn guarded(error: StoreError) -> AppError {
    match &error {
        StoreError::Database(refused) if broken_constraint(refused) == Some("fee_below_ceiling") => {
            above_ceiling()
        }
        _ => error.into(),
    }
}
