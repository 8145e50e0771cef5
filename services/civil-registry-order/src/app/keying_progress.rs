//! How far the registers of an office are digitised, and how many acts they hold.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use chrono::Datelike;

use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, registers, write};
use crate::domain::act_key::{self, RegisterKind};
use crate::domain::role;
use crate::store::keyings::progress::{self, Progress};

/// Most acts of a register year.
const MOST_ACTS: i32 = 999_999;

/// A register year.
pub type RegisterYear = (RegisterKind, i16);

/// A page of register years, and the last of them where more may follow.
///
/// # Errors
/// [`AppError`]; an office whose registers are not with the caller's is not found.
pub async fn list(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    after: Option<RegisterYear>,
    size: u16,
) -> Result<(Vec<Progress>, Option<RegisterYear>), AppError> {
    let mut conn = app.pool.acquire().await?;
    let held = registers::held(&mut conn, &app.ambient, caller).await?;
    registers::some_of(&held, office_id)?;
    let mut found = progress::list(&mut conn, office_id, after, i64::from(size) + 1).await?;
    let more = found.len() > usize::from(size);
    found.truncate(usize::from(size));
    let next = found
        .last()
        .filter(|_| more)
        .map(|progress| (progress.kind, progress.year));
    found.retain(|progress| held.holds(office_id, progress.kind, progress.year));
    Ok((found, next))
}

/// A register year and how many acts it holds.
#[derive(Debug, Clone, Copy)]
pub struct SetRegisterSize {
    pub office_id: Uuid,
    pub kind: RegisterKind,
    pub year: i32,
    pub acts: i32,
}

/// Says how many acts a register year holds. Officer at the office that holds the register today.
///
/// # Errors
/// [`AppError`]: `YEAR_IMPOSSIBLE`, `OUT_OF_RANGE`, `ROLE_MISSING`; an office whose register is not with the caller's is not found.
pub async fn set_register_size(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: SetRegisterSize,
    encode: impl FnOnce(&Progress) -> Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    let today = civil_date(app.ambient.now());
    let year = act_key::year(asked.year, today.year())
        .map_err(|error| AppError::invalid("year", error.reason(), error.to_string()))?;
    if !(1..=MOST_ACTS).contains(&asked.acts) {
        let text = "must be from 1 to 999999";
        return Err(AppError::invalid("acts_in_register", "OUT_OF_RANGE", text));
    }
    let gathering = async {
        let mut conn = app.pool.acquire().await?;
        let holder =
            registers::holder_for(&mut conn, &app.ambient, caller, asked.office_id, asked.kind, year).await?;
        drop(conn);
        authorise::live_role(app, caller, holder, role::OFFICER).await
    };
    let mut transaction = match idempotent::prepare(app, command, gathering).await? {
        Prepared::New(transaction, ()) => transaction,
        Prepared::Done(response) => return Ok(response),
    };
    let now = app.ambient.now();
    let register = (asked.office_id, asked.kind, year);
    progress::set_size(&mut transaction, register, asked.acts, caller.person_id, now).await?;
    let subject = write::Subject {
        aggregate: "office",
        id: asked.office_id,
    };
    let details = json!({ "kind": asked.kind.as_str(), "year": year, "acts": asked.acts });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "register.size",
        subject,
        details,
    )
    .await?;
    let progress = progress::of_year(&mut transaction, asked.office_id, asked.kind, year).await?;
    idempotent::finish(transaction, command, encode(&progress)).await
}
