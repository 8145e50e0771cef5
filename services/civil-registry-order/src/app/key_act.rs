//! Somebody keys an act from the register: first, second or, where the two differ, third.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, registers, write};
use crate::domain::act::{Draft, Entry, check};
use crate::domain::keying::{Keying, KeyingError, Look};
use crate::events;
use crate::store::acts::{self, NewAct};
use crate::store::{keyings, scans};

/// What was keyed.
#[derive(Debug, Clone)]
pub struct KeyAct {
    pub office_id: Uuid,
    pub draft: Draft,
    /// A scan attached before.
    pub scan_id: Option<Uuid>,
}

/// Takes a look down, and registers the act where that settles it.
///
/// # Errors
/// [`AppError`]: faults of the act, `ACT_ALREADY_DIGITISED`, `KEYED_BY_SAME_PERSON`, `AGREED_FIELD_CHANGED`, `SCAN_UNKNOWN`; an office whose
/// register is not with the caller's is not found.
pub async fn key_act(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: KeyAct,
    encode: impl FnOnce(&Keying) -> Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    let today = civil_date(app.ambient.now());
    let entry = check::entry(asked.office_id, asked.draft, today).map_err(|faults| {
        let faults = faults.into_iter().map(below_key).collect();
        registers::invalid("", faults)
    })?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let key = entry.key().clone();
    registers::holder_for(
        &mut transaction,
        &app.ambient,
        caller,
        key.office_id,
        key.kind,
        key.year,
    )
    .await?;
    scan_is_there(&mut transaction, key.office_id, asked.scan_id).await?;
    let keying = look(&mut transaction, app, caller, entry, asked.scan_id).await?;
    if keying.version > 1 {
        // A keying that is settled names its act.
        register(&mut transaction, app, caller, &keying).await?;
        keyings::save(&mut transaction, &keying, app.ambient.now()).await?;
    }
    wathiq_outbox::append(&mut transaction, &app.ambient, events::acts::keyed(&keying)).await?;
    let subject = write::Subject {
        aggregate: "keying",
        id: keying.id,
    };
    let details = json!({ "state": keying.stage.name(), "office_id": key.office_id });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "act.key",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, encode(&keying)).await
}

/// Fields of the key stand below `key` in the request.
fn below_key(mut fault: check::Fault) -> check::Fault {
    if ["year", "part", "number"].contains(&fault.field.as_str()) {
        fault.field.insert_str(0, "key.");
    }
    fault
}

async fn scan_is_there(
    conn: &mut PgConnection,
    office_id: Uuid,
    scan_id: Option<Uuid>,
) -> Result<(), AppError> {
    let Some(id) = scan_id else { return Ok(()) };
    match scans::find(conn, id).await? {
        Some(scan) if scan.office_id == office_id => Ok(()),
        _ => Err(AppError::invalid(
            "scan_id",
            "SCAN_UNKNOWN",
            "must be a scan of this office",
        )),
    }
}

/// Opens the keying, or looks at one that is open.
async fn look(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    entry: Entry,
    scan_id: Option<Uuid>,
) -> Result<Keying, AppError> {
    let key = entry.key().clone();
    if acts::id_of_key(conn, &key).await?.is_some() {
        return Err(already_digitised());
    }
    let look = Look {
        person_id: caller.person_id,
        entry,
    };
    let opened = Keying::open(app.ambient.uuid_v7(), look.clone(), scan_id);
    if keyings::insert(conn, &opened, app.ambient.now()).await? {
        return Ok(opened);
    }
    // Somebody keyed it before, or in this moment.
    let standing = keyings::lock_by_key(conn, &key).await?.ok_or(AppError::Stale)?;
    let mut keying = standing.look(look, app.ambient.uuid_v7()).map_err(refused)?;
    keying.scan_id = keying.scan_id.or(scan_id);
    Ok(keying)
}

fn already_digitised() -> AppError {
    AppError::Taken {
        reason: "ACT_ALREADY_DIGITISED",
        description: "the act with this key is digitised",
    }
}

fn refused(error: KeyingError) -> AppError {
    match error {
        KeyingError::SamePerson => AppError::Denied {
            reason: "KEYED_BY_SAME_PERSON",
            description: "who has keyed this act may not look a second time",
        },
        KeyingError::Registered => already_digitised(),
        KeyingError::OtherKey | KeyingError::Withdrawn | KeyingError::NotTheirs => AppError::Stale,
        KeyingError::AgreedFieldsChanged(ref fields) => AppError::Invalid(
            fields
                .iter()
                .map(|field| {
                    let text = "both read the same here; a third look settles only what differs";
                    wathiq_chassis::FieldViolation::new(field.clone(), "AGREED_FIELD_CHANGED", text)
                })
                .collect(),
        ),
    }
}

/// Adds the act of a keying that is settled.
async fn register(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    keying: &Keying,
) -> Result<(), AppError> {
    let Some((entry, act_id)) = keying.settled() else {
        return Ok(());
    };
    let act = NewAct {
        id: act_id,
        entry,
        author_id: caller.person_id,
        note_ids: entry.notes().iter().map(|_| app.ambient.uuid_v7()).collect(),
        created_at: app.ambient.now(),
    };
    if !acts::insert(conn, &act).await? {
        return Err(already_digitised());
    }
    if let Some(scan_id) = keying.scan_id {
        scans::attach(conn, act_id, scan_id, false, act.created_at).await?;
    }
    wathiq_outbox::append(conn, &app.ambient, events::acts::registered(act_id, entry.key())).await?;
    Ok(())
}
