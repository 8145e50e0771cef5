//! A fee is set from a date on.

use serde_json::{Value, json};
use sqlx::PgConnection;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, write};
use crate::domain::fault::Faults;
use crate::domain::fee::{COPIES, Fee, Step};
use crate::events::catalogue::fee_changed;
use crate::store::{StoreError, broken_constraint, catalogue};

/// Sets the fee for all numbers of copies.
///
/// # Errors
/// [`AppError`]: `FEE_ABOVE_CEILING`, `FEE_EXISTS`, `DATE_PAST`, `RANGE_REVERSED`, `STEPS_OUT_OF_ORDER`, and everything that is wrong with the fields.
pub async fn set_fee(app: &App, caller: &Caller, command: &Command, fee: Fee) -> Result<(), AppError> {
    authorise::platform(caller)?;
    let Begun::New(mut transaction) = idempotent::begin(app, command).await? else {
        return Ok(());
    };
    check(&mut transaction, app, &fee).await?;
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
    let steps: Vec<Value> = fee
        .steps
        .iter()
        .map(|step| json!({ "from_copies": step.from_copies, "amount": step.price.amount }))
        .collect();
    let details = json!({
        "document_kind": fee.document_kind, "zone": fee.zone, "steps": steps, "valid_from": fee.valid_from, "valid_to": fee.valid_to
    });
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

async fn check(conn: &mut PgConnection, app: &App, fee: &Fee) -> Result<(), AppError> {
    let mut faults = Faults::default();
    let kinds = catalogue::kinds(conn).await?;
    if !kinds.iter().any(|kind| kind.code == fee.document_kind) {
        faults.note(
            "document_kind",
            "DOCUMENT_KIND_UNKNOWN",
            "must be a kind of the catalogue",
        );
    }
    if !catalogue::zones(conn).await?.contains(&fee.zone) {
        faults.note("zone", "ZONE_UNKNOWN", "must be a destination zone");
    }
    check_steps(&mut faults, &fee.steps);
    if fee.valid_from < civil_date(app.ambient.now()) {
        faults.note(
            "valid_from",
            "DATE_PAST",
            "must be today or later: the past stays",
        );
    }
    if fee.valid_to.is_some_and(|last| last < fee.valid_from) {
        faults.note("valid_to", "RANGE_REVERSED", "must not be before `valid_from`");
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(AppError::faults(faults))
    }
}

fn check_steps(faults: &mut Faults, steps: &[Step]) {
    if steps.is_empty() {
        faults.note("steps", "REQUIRED", "must have at least one step");
    }
    for (place, step) in steps.iter().enumerate() {
        // A single step may come in fields of its own.
        let field = |name: &str| match steps.len() {
            1 => name.to_owned(),
            _ => format!("steps[{place}].{name}"),
        };
        if !COPIES.contains(&step.from_copies) {
            faults.note(&field("from_copies"), "OUT_OF_RANGE", "must be 1 to 10");
        }
        if place > 0 && steps[place - 1].from_copies >= step.from_copies {
            let description = "must be more than in the step before";
            faults.note(&field("from_copies"), "STEPS_OUT_OF_ORDER", description);
        }
        if !step.price.is_sound() {
            let description = "the amount must be positive and the sum of its parts";
            faults.note(&field("price"), "PRICE_UNSOUND", description);
        }
    }
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
