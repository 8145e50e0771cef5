//! An officer adds a marginal note to an act.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, change, draw_document, registers, write};
use crate::domain::act::{Act, Note, NoteDraft, check};
use crate::domain::order::line::Again;
use crate::domain::role;
use crate::events;
use crate::store::{acts, orders};

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
    let gathering = async {
        let mut conn = app.pool.acquire().await?;
        let (act, holder) = registers::act(&mut conn, &app.ambient, caller, act_id).await?;
        drop(conn);
        let result = authorise::live_role(app, caller, holder, role::OFFICER).await;
        let subject = write::Subject {
            aggregate: "act",
            id: act_id,
        };
        write::trace_denial(app, caller, "act.note", subject, result).await?;
        let note =
            check::note(note, act.key.year, today).map_err(|faults| registers::invalid("note", faults))?;
        Ok((holder, note))
    };
    let (mut transaction, (holder, note)) =
        match Box::pin(idempotent::prepare(app, command, gathering)).await? {
            Prepared::New(transaction, gathered) => (transaction, gathered),
            Prepared::Done(response) => return Ok(response),
        };
    acts::lock_notes(&mut transaction, &[act_id]).await?;
    let mut notes = acts::notes(&mut transaction, &[act_id]).await?;
    let notes = notes.remove(&act_id).unwrap_or_default();
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
    let act = acts::find(&mut transaction, act_id)
        .await?
        .ok_or_else(|| AppError::not_found("act", act_id))?;
    if let Some(known_as) = act.known_as_now() {
        let register = (act_id, act.key.office_id, act.key.kind);
        acts::set_known_as(&mut transaction, register, &known_as).await?;
    }
    draw_again(&mut transaction, app, act_id).await?;
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
    idempotent::finish(transaction, command, encode(&act, holder)).await
}

/// Documents of the act that are drawn and not sealed do not say what the note says: they are drawn anew.
async fn draw_again(conn: &mut PgConnection, app: &App, act_id: Uuid) -> Result<(), AppError> {
    for (order_id, line_id) in orders::drawn_of_act(conn, act_id).await? {
        change::change(conn, app, order_id, |work| {
            let document = work.order.line(line_id).and_then(|line| line.document.clone());
            let Some(document) = document else { return Ok(()) };
            let again = Again {
                prepared_by: document.prepared_by,
                prepared_at: app.ambient.now(),
                verification_code: document
                    .verification_code
                    .is_some()
                    .then(|| draw_document::verification_code(&app.ambient)),
            };
            work.draw_again(line_id, again)
        })
        .await?;
    }
    Ok(())
}
