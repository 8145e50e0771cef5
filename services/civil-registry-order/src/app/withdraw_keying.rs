//! Somebody withdraws what was keyed under a wrong key, or sends two looks back for a fresh pair.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, keyings, registers, write};
use crate::domain::keying::{Keying, KeyingError, Stage};
use crate::domain::role;
use crate::events;
use crate::store::keyings as store;

/// Withdraws the keying: its key is free again, and what was keyed is kept aside.
///
/// # Errors
/// [`AppError`]: `KEYED_BY_SAME_PERSON`, `KEYING_STATE`, `ROLE_MISSING`; a keying of other offices is not found.
pub async fn withdraw_keying(
    app: &App,
    caller: &Caller,
    command: &Command,
    keying_id: Uuid,
    encode: impl FnOnce(&Keying) -> Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    let subject = write::Subject {
        aggregate: "keying",
        id: keying_id,
    };
    let gathering = async {
        let result = as_officer(app, caller, keying_id).await;
        write::trace_denial(app, caller, "keying.withdraw", subject, result).await
    };
    let (mut transaction, is_officer) = match Box::pin(idempotent::prepare(app, command, gathering)).await? {
        Prepared::New(transaction, is_officer) => (transaction, is_officer),
        Prepared::Done(response) => return Ok(response),
    };
    let standing = store::lock(&mut transaction, keying_id).await?;
    let standing = standing.ok_or_else(|| AppError::not_found("keying", keying_id))?;
    let was = standing.stage.name();
    let keying = standing
        .withdraw(caller.person_id, is_officer)
        .map_err(|error| refused(error, keying_id))?;
    store::save(&mut transaction, &keying, app.ambient.now()).await?;
    wathiq_outbox::append(&mut transaction, &app.ambient, events::acts::keyed(&keying)).await?;
    let details = json!({ "was": was, "office_id": keying.first.entry.key().office_id });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "keying.withdraw",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, encode(&keying)).await
}

/// Whether the caller has to be an officer for it, and is.
async fn as_officer(app: &App, caller: &Caller, keying_id: Uuid) -> Result<bool, AppError> {
    let mut conn = app.pool.acquire().await?;
    let keying = keyings::visible(&mut conn, app, caller, keying_id).await?;
    if keying.stage != Stage::KeyedOnce || keying.first.person_id == caller.person_id {
        return Ok(false);
    }
    let key = keying.first.entry.key();
    let holder =
        registers::holder_for(&mut conn, &app.ambient, caller, key.office_id, key.kind, key.year).await?;
    drop(conn);
    authorise::live_role(app, caller, holder, role::OFFICER).await?;
    Ok(true)
}

fn refused(error: KeyingError, keying_id: Uuid) -> AppError {
    match error {
        KeyingError::SamePerson => AppError::Denied {
            reason: "KEYED_BY_SAME_PERSON",
            description: "who has keyed this act does not judge what the other read",
        },
        KeyingError::Registered | KeyingError::Withdrawn => {
            AppError::refused("KEYING_STATE", keying_id, error.to_string())
        }
        // It was another keying a moment ago.
        KeyingError::NotTheirs | KeyingError::OtherKey | KeyingError::AgreedFieldsChanged(_) => {
            AppError::Stale
        }
    }
}
