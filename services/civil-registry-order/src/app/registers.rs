//! Which registers a caller works with: those that the offices where they work hold today.

use uuid::Uuid;
use wathiq_chassis::{Ambient, Caller, civil_date};

use sqlx::PgConnection;

use crate::app::{AppError, authorise};
use crate::domain::act::{Act, Fault};
use crate::domain::act_key::RegisterKind;
use crate::store::acts;
use crate::store::custody::{self, Held};

/// The registers held today by the offices where the caller works as agent or officer.
///
/// # Errors
/// [`AppError`]; other surfaces are denied.
pub async fn held(conn: &mut PgConnection, ambient: &Ambient, caller: &Caller) -> Result<Held, AppError> {
    authorise::staff(caller)?;
    let today = civil_date(ambient.now());
    Ok(custody::held_by(conn, authorise::offices_of(caller), today).await?)
}

/// The office that holds the register today, when the caller works there; otherwise the office of registration is not found.
///
/// # Errors
/// [`AppError`].
pub async fn holder_for(
    conn: &mut PgConnection,
    ambient: &Ambient,
    caller: &Caller,
    office_id: Uuid,
    kind: RegisterKind,
    year: i16,
) -> Result<Uuid, AppError> {
    authorise::staff(caller)?;
    let today = civil_date(ambient.now());
    let holder = custody::holder(conn, office_id, kind, year, today).await?;
    match authorise::works_at(caller, holder) {
        Ok(()) => Ok(holder),
        Err(AppError::NotFound { .. }) => Err(AppError::not_found("office", office_id)),
        Err(error) => Err(error),
    }
}

/// The caller works at an office that can hold registers of this office of registration.
///
/// # Errors
/// [`AppError`]; otherwise the office is not found.
pub fn some_of(held: &Held, office_id: Uuid) -> Result<(), AppError> {
    if held.offices().contains(&office_id) {
        Ok(())
    } else {
        Err(AppError::not_found("office", office_id))
    }
}

/// An act of a register that the caller works with, and the office that holds it today.
///
/// # Errors
/// [`AppError`]; an act of other offices is not found.
pub async fn act(
    conn: &mut PgConnection,
    ambient: &Ambient,
    caller: &Caller,
    act_id: Uuid,
) -> Result<(Act, Uuid), AppError> {
    authorise::staff(caller)?;
    let not_found = || AppError::not_found("act", act_id);
    let act = acts::find(conn, act_id).await?.ok_or_else(not_found)?;
    let key = &act.key;
    match holder_for(conn, ambient, caller, key.office_id, key.kind, key.year).await {
        Ok(holder) => Ok((act, holder)),
        Err(AppError::NotFound { .. }) => Err(not_found()),
        Err(error) => Err(error),
    }
}

/// Faults of an act as an error, below this path.
pub fn invalid(below: &str, faults: Vec<Fault>) -> AppError {
    let violation = |fault: Fault| {
        let field = match (below, fault.field.as_str()) {
            ("", field) => field.to_owned(),
            (below, "") => below.to_owned(),
            (below, field) => format!("{below}.{field}"),
        };
        wathiq_chassis::FieldViolation::new(field, fault.reason, fault.description)
    };
    AppError::Invalid(faults.into_iter().map(violation).collect())
}
