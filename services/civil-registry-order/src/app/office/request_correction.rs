//! The citizen is asked to correct what could not be found, or differs.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use super::entry::Entry;
use super::{Act, on_line};
use crate::app::{App, AppError};
use crate::domain::order::work::answer;
use crate::domain::reason;

/// Asks the citizen.
///
/// # Errors
/// [`AppError`]: `REASON_UNKNOWN`, `DOCUMENT_PREPARED`, `LINE_STATE`.
pub async fn request_correction(
    app: &App,
    caller: &Caller,
    command: &Command,
    line_id: Uuid,
    reason_code: &str,
    text: &str,
) -> Result<Entry, AppError> {
    reason::check(reason_code, &reason::CORRECTIONS)
        .map_err(|description| AppError::invalid("reason_code", "REASON_UNKNOWN", description))?;
    let act = Act {
        action: "line.request_correction",
        details: json!({ "reason": reason_code }),
    };
    let answer = answer(reason_code, text, app.ambient.now());
    on_line(app, caller, command, line_id, act, |work| {
        work.request_correction(line_id, answer)
    })
    .await
}
