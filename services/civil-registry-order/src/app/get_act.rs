//! One act with its notes. Every look is audited.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, registers, write};
use crate::domain::act::Act;

/// The act, and the office that holds it today.
///
/// # Errors
/// [`AppError`]; an act of other offices is not found.
pub async fn get_act(app: &App, caller: &Caller, act_id: Uuid) -> Result<(Act, Uuid), AppError> {
    let mut transaction = app.pool.begin().await?;
    let found = registers::act(&mut transaction, &app.ambient, caller, act_id).await?;
    let subject = write::Subject {
        aggregate: "act",
        id: act_id,
    };
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "act.read",
        subject,
        json!({ "office_id": found.1 }),
    )
    .await?;
    transaction.commit().await?;
    Ok(found)
}
