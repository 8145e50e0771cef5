//! The citizen is asked to correct what could not be found, or differs.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use super::entry::Entry;
use super::{Act, on_line};
use crate::app::{App, AppError};
use crate::domain::order::work::answer;

/// Reasons for which a citizen is asked.
pub const REASONS: [&str; 3] = ["ACT_NOT_FOUND", "ACT_DIFFERS", "EVIDENCE_NEEDED"];

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
    if !REASONS.contains(&reason_code) {
        let description = format!("must be one of {}", REASONS.join(", "));
        return Err(AppError::invalid("reason_code", "REASON_UNKNOWN", description));
    }
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
