//! An official has checked the evidence, and it shows the relation.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use super::entry::Entry;
use super::{Act, on_line};
use crate::app::{App, AppError};

/// Records the check with its note in the trail.
///
/// # Errors
/// [`AppError`]: `LINE_STATE`, `NOTE_REQUIRED`.
pub async fn check_entitlement(
    app: &App,
    caller: &Caller,
    command: &Command,
    line_id: Uuid,
    note: &str,
) -> Result<Entry, AppError> {
    let act = Act {
        action: "line.check_entitlement",
        details: json!({ "note": note }),
    };
    let noted = !note.is_empty();
    on_line(app, caller, command, line_id, act, |work| {
        work.entitlement_checked(line_id, noted)
    })
    .await
}
