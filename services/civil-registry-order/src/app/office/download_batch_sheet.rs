//! A batch sheet as PDF/A, drawn when it is asked for.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::entry;
use crate::app::{App, AppError, authorise, write};
use crate::documents::DrawError;
use crate::documents::sheet::{self, SheetLine};
use crate::domain::act::Bilingual;
use crate::domain::order::line::Line;
use crate::domain::state::{LineState, Path};
use crate::store::offices::Sheet;
use crate::store::{catalogue, offices};

/// The file, and its name; the look is audited. What has ended, or has left the sheet, is not looked for: it is left out.
///
/// # Errors
/// [`AppError`]; a sheet of another office is not found.
pub async fn download_batch_sheet(app: &App, caller: &Caller, id: Uuid) -> Result<(Bytes, String), AppError> {
    authorise::staff(caller)?;
    let unknown = || AppError::not_found("batch_sheet", id);
    let mut conn = app.pool.acquire().await?;
    let found = offices::sheet(&mut conn, id).await?.ok_or_else(unknown)?;
    if authorise::works_at(caller, found.office_id).is_err() {
        return Err(unknown());
    }
    drop(conn);
    let names = app.identity.offices().await?;
    let mut conn = app.pool.acquire().await?;
    let profile = offices::profile(&mut conn, found.office_id).await?;
    let entries = entry::of_lines(&mut conn, &found.line_ids, app.ambient.now()).await?;
    let entries: Vec<_> = entries
        .into_iter()
        .filter(|entry| stands_on(&found, &entry.line))
        .collect();
    let kind_ids: Vec<Uuid> = entries.iter().map(|entry| entry.line.kind_id).collect();
    let kinds = catalogue::kinds_by_id(&mut conn, &kind_ids).await?;
    let subject = write::Subject {
        aggregate: "batch_sheet",
        id,
    };
    let details = json!({ "lines": entries.len() });
    write::audit(
        &mut conn,
        &app.ambient,
        caller,
        "batch_sheet.read",
        subject,
        details,
    )
    .await?;
    drop(conn);
    let mut lines: Vec<SheetLine> = entries
        .into_iter()
        .filter_map(|entry| {
            let kind = kinds.iter().find(|kind| kind.id == entry.line.kind_id)?.clone();
            let office = names.get(&entry.line.clue.office_id);
            Some(SheetLine {
                registered_at: office.map_or_else(Bilingual::default, |office| {
                    Bilingual::new(&office.name_ar, &office.name_fr)
                }),
                reference: entry.view.order.line_reference(&entry.line).to_string(),
                line: entry.line,
                kind,
            })
        })
        .collect();
    sheet::sort(&mut lines);
    let name = format!("bordereau-{}.pdf", sheet::number(&found));
    let engine = Arc::clone(&app.engine);
    let drawn = tokio::task::spawn_blocking(move || sheet::render(&engine, &found, profile.as_ref(), &lines));
    let drawn = drawn.await.unwrap_or(Err(DrawError::Interrupted))?;
    Ok((drawn.into(), name))
}

/// Whether a line is made, or was, by this sheet: not where it ended before, moved with its register, or was given back and taken anew.
fn stands_on(sheet: &Sheet, line: &Line) -> bool {
    let here = line.office_id == sheet.office_id && line.path == Some(Path::Paper);
    here && match line.state {
        LineState::InProduction => line.state_since <= sheet.created_at,
        LineState::Produced | LineState::HandedOver | LineState::Delivered | LineState::Returned => true,
        _ => false,
    }
}
