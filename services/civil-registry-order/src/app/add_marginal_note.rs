//! An officer adds a marginal note to an act.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, registers, write};
use crate::domain::act::{Act, Note, NoteDraft, check};
use crate::domain::role;
use crate::events;
use crate::store::acts;

/// Most notes of an act, as in files.
const MOST_NOTES: usize = 200;

/// Adds the note as the last one.
///
/// # Errors
/// [`AppError`]: faults below `note`, `ROLE_MISSING`, `TOO_MANY_NOTES`; an act of other offices is not found.
pub async fn add_marginal_note(
    app: &App,
    caller: &Caller,
    command: &Command,
    act_id: Uuid,
    note: NoteDraft,
    encode: impl FnOnce(&Act, Uuid) -> Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    let today = civil_date(app.ambient.now());
    let note = check::note(note, today).map_err(|faults| registers::invalid("note", faults))?;
    let gathering = async {
        let mut conn = app.pool.acquire().await?;
        let (_, holder) = registers::act(&mut conn, &app.ambient, caller, act_id).await?;
        drop(conn);
        let result = authorise::live_role(app, caller, holder, role::OFFICER).await;
        let subject = write::Subject {
            aggregate: "act",
            id: act_id,
        };
        write::trace_denial(app, caller, "act.note", subject, result).await?;
        Ok(holder)
    };
    let (mut transaction, holder) = match idempotent::prepare(app, command, gathering).await? {
        Prepared::New(transaction, holder) => (transaction, holder),
        Prepared::Done(response) => return Ok(response),
    };
    acts::lock_notes(&mut transaction, act_id).await?;
    let notes = acts::notes(&mut transaction, act_id).await?;
    let last = notes.last().map_or(0, |note| note.ordinal);
    if notes.len() >= MOST_NOTES {
        let text = "an act has at most 200 notes";
        return Err(AppError::refused("TOO_MANY_NOTES", act_id, text));
    }
    let note = Note {
        id: app.ambient.uuid_v7(),
        ordinal: last + 1,
        draft: note,
        author_id: Some(caller.person_id),
        created_at: app.ambient.now(),
    };
    acts::insert_note(&mut transaction, act_id, &note).await?;
    wathiq_outbox::append(
        &mut transaction,
        &app.ambient,
        events::acts::note_added(act_id, &note),
    )
    .await?;
    let subject = write::Subject {
        aggregate: "act",
        id: act_id,
    };
    let details = json!({ "note_id": note.id, "kind": note.draft.kind.as_str(), "changes_extract": note.draft.changes_extract });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "act.note",
        subject,
        details,
    )
    .await?;
    let act = acts::find(&mut transaction, act_id)
        .await?
        .ok_or_else(|| AppError::not_found("act", act_id))?;
    idempotent::finish(transaction, command, encode(&act, holder)).await
}
