//! A batch sheet: the lines with which somebody goes to the registers.

use chrono::Datelike;
use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use super::assign_lines::{lock_orders, of_order};
use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, change, write};
use crate::domain::state::{LineState, Path};
use crate::events::offices::batch_sheet_created;
use crate::store::offices::{self, Sheet};
use crate::store::queue::{self, Filter};

/// Most lines of a sheet.
pub const LINES: usize = 200;

/// Draws up a sheet of waiting lines: the named ones, or all of the office without a digitised act that are not the caller's own. They are in
/// production then.
///
/// # Errors
/// [`AppError`]: `NOTHING_WAITS`, `LINE_STATE`, `OWN_ORDER`.
pub async fn create_batch_sheet(
    app: &App,
    caller: &Caller,
    command: &Command,
    office_id: Uuid,
    line_ids: &[Uuid],
) -> Result<Sheet, AppError> {
    authorise::works_at(caller, office_id)?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(answer) => return stored(app, idempotent::id_of(&answer)?).await,
    };
    let now = app.ambient.now();
    let ids = if line_ids.is_empty() {
        let filter = Filter {
            offices: vec![office_id],
            states: vec![LineState::Paid],
            path: Some(Path::Paper),
            not_of_person: Some(caller.person_id),
            limit: LINES as i64,
            ..Filter::default()
        };
        let found = queue::lines(&mut transaction, &filter, now).await?;
        found.into_iter().map(|line| line.id).collect()
    } else {
        line_ids.to_vec()
    };
    if ids.is_empty() {
        return Err(AppError::refused(
            "NOTHING_WAITS",
            office_id,
            "no line waits on the paper path",
        ));
    }
    let mut taken = Vec::with_capacity(ids.len());
    for order in lock_orders(&mut transaction, caller, &ids).await? {
        let mut lines = of_order(&order, &ids);
        if let Some(other) = lines
            .iter()
            .find(|id| order.line(**id).is_some_and(|line| line.office_id != office_id))
        {
            return Err(AppError::not_found("order_line", other));
        }
        if line_ids.is_empty() {
            // Nobody has named them: what somebody else took meanwhile is left out.
            lines.retain(|id| order.line(*id).is_some_and(|line| line.state == LineState::Paid));
        }
        if lines.is_empty() {
            continue;
        }
        change::change_locked(&mut transaction, app, order, |work| work.take_on_paper(&lines)).await?;
        taken.extend(lines);
    }
    if taken.is_empty() {
        return Err(AppError::refused(
            "NOTHING_WAITS",
            office_id,
            "no line waits on the paper path",
        ));
    }
    // Not before the lines were taken: a line that was taken later stands on a later sheet.
    let now = app.ambient.now();
    let year = civil_date(now).year();
    let number = offices::next_sheet_number(&mut transaction, office_id, year).await?;
    let sheet = Sheet {
        id: app.ambient.uuid_v7(),
        office_id,
        year,
        number,
        line_ids: taken,
        created_by: caller.person_id,
        created_at: now,
    };
    offices::insert_sheet(&mut transaction, &sheet).await?;
    let event = batch_sheet_created(sheet.id, office_id, sheet.line_ids.len());
    wathiq_outbox::append(&mut transaction, &app.ambient, event).await?;
    let subject = write::Subject {
        aggregate: "batch_sheet",
        id: sheet.id,
    };
    let details = json!({ "lines": sheet.line_ids.len() });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "batch_sheet.create",
        subject,
        details,
    )
    .await?;
    idempotent::finish(transaction, command, sheet.id.as_bytes().to_vec()).await?;
    Ok(sheet)
}

async fn stored(app: &App, id: Uuid) -> Result<Sheet, AppError> {
    let mut conn = app.pool.acquire().await?;
    let sheet = offices::sheet(&mut conn, id).await?;
    sheet.ok_or_else(|| AppError::not_found("batch_sheet", id))
}
