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
use crate::domain::custody::{Custody, moves_anything};
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

/// Records the move, or that registers came back to their own office. Both offices must be of a kind that holds registers.
///
/// # Errors
/// [`AppError`]: `YEAR_IMPOSSIBLE`, `YEARS_REVERSED`, `OFFICE_UNKNOWN`, `OFFICE_WITHOUT_REGISTERS`, `NOTHING_HELD`, `ROLE_MISSING`.
pub async fn set_register_custody(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: SetRegisterCustody,
    response: Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    authorise::platform(caller)?;
    let (from_year, to_year) = years(app, &asked)?;
    let mut transaction = match idempotent::prepare(app, command, offices_hold_registers(app, &asked)).await?
    {
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
    something_moves(&mut transaction, app, &custody).await?;
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

/// Regions and prefectures keep no civil status.
async fn offices_hold_registers(app: &App, asked: &SetRegisterCustody) -> Result<(), AppError> {
    let offices = app.identity.offices().await?;
    let mut violations = Vec::new();
    for (field, id) in [
        ("office_id", asked.office_id),
        ("held_by_office_id", asked.held_by),
    ] {
        let (reason, text) = match offices.get(&id) {
            None => ("OFFICE_UNKNOWN", "must be an office"),
            Some(office) if !office.holds_registers => (
                "OFFICE_WITHOUT_REGISTERS",
                "must be an office that holds registers",
            ),
            Some(_) => continue,
        };
        violations.push(FieldViolation::new(field, reason, text));
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(AppError::Invalid(violations))
    }
}

/// A move of registers that the office does not hold on that day would be written down and do nothing.
async fn something_moves(
    conn: &mut sqlx::PgConnection,
    app: &App,
    custody: &Custody,
) -> Result<(), AppError> {
    let before = custody::lock_all(conn, custody.kind).await?;
    let this_year = civil_date(app.ambient.now()).year();
    let this_year = i16::try_from(this_year).unwrap_or(i16::MAX);
    if moves_anything(&before, custody, this_year) {
        return Ok(());
    }
    let text = "the office holds none of these registers on that day, or none of them is elsewhere";
    Err(AppError::invalid("office_id", "NOTHING_HELD", text))
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
    if violations.is_empty() {
        Ok((from, to))
    } else {
        Err(AppError::Invalid(violations))
    }
}
