//! An administrator says which office holds registers of an office from a day on.

use chrono::{Datelike, NaiveDate};
use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, FieldViolation, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::move_lines::move_lines;
use crate::app::{App, AppError, authorise, write};
use crate::domain::act_key::{self, RegisterKind};
use crate::domain::custody::Custody;
use crate::events;
use crate::store::custody;

/// Registers that move.
#[derive(Debug, Clone)]
pub struct SetRegisterCustody {
    pub office_id: Uuid,
    pub kind: RegisterKind,
    /// Both included; an open end where there is none.
    pub from_year: Option<i32>,
    pub to_year: Option<i32>,
    pub held_by: Uuid,
    pub valid_from: NaiveDate,
}

/// Records the move. Both offices must be known to identity.
///
/// # Errors
/// [`AppError`]: `YEAR_IMPOSSIBLE`, `YEARS_REVERSED`, `SAME_OFFICE`, `OFFICE_UNKNOWN`, `ROLE_MISSING`.
pub async fn set_register_custody(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: SetRegisterCustody,
    response: Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    authorise::platform(caller)?;
    let (from_year, to_year) = years(app, &asked)?;
    let offices_are_known = async {
        let offices = app.identity.offices().await?;
        let unknown: Vec<FieldViolation> = [
            ("office_id", asked.office_id),
            ("held_by_office_id", asked.held_by),
        ]
        .into_iter()
        .filter(|(_, id)| !offices.contains_key(id))
        .map(|(field, _)| FieldViolation::new(field, "OFFICE_UNKNOWN", "must be an office"))
        .collect();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(AppError::Invalid(unknown))
        }
    };
    let mut transaction = match idempotent::prepare(app, command, offices_are_known).await? {
        Prepared::New(transaction, ()) => transaction,
        Prepared::Done(response) => return Ok(response),
    };
    let custody = Custody {
        id: app.ambient.uuid_v7(),
        office_id: asked.office_id,
        kind: asked.kind,
        from_year,
        to_year,
        held_by: asked.held_by,
        valid_from: asked.valid_from,
    };
    custody::add(&mut transaction, &custody, caller.person_id, app.ambient.now()).await?;
    let event = events::acts::custody_changed(&custody);
    wathiq_outbox::append(&mut transaction, &app.ambient, event).await?;
    let subject = write::Subject {
        aggregate: "office",
        id: custody.office_id,
    };
    let details = json!({
        "kind": custody.kind.as_str(), "from_year": from_year, "to_year": to_year, "held_by": custody.held_by,
        "valid_from": custody.valid_from,
    });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "register.custody",
        subject,
        details,
    )
    .await?;
    let answer = idempotent::finish(transaction, command, response).await?;
    // What waits follows at once; what a failure leaves behind, the janitor moves.
    if let Err(error) = move_lines(app).await {
        tracing::warn!(
            event = "custody.lines_not_moved",
            error = wathiq_chassis::status::chain(&error),
            "lines follow their register later"
        );
    }
    Ok(answer)
}

fn years(app: &App, asked: &SetRegisterCustody) -> Result<(Option<i16>, Option<i16>), AppError> {
    let this_year = civil_date(app.ambient.now()).year();
    let mut violations = Vec::new();
    let mut read = |field: &'static str, year: Option<i32>| {
        let read = year.map(|year| act_key::year(year, this_year)).transpose();
        read.unwrap_or_else(|error| {
            violations.push(FieldViolation::new(field, error.reason(), error.to_string()));
            None
        })
    };
    let (from, to) = (read("from_year", asked.from_year), read("to_year", asked.to_year));
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        violations.push(FieldViolation::new(
            "to_year",
            "YEARS_REVERSED",
            "must not be before from_year",
        ));
    }
    if asked.office_id == asked.held_by {
        let text = "must be another office";
        violations.push(FieldViolation::new("held_by_office_id", "SAME_OFFICE", text));
    }
    if violations.is_empty() {
        Ok((from, to))
    } else {
        Err(AppError::Invalid(violations))
    }
}
