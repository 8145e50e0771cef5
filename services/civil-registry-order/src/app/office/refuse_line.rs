//! The office refuses a line; the money goes back.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use super::entry::Entry;
use super::{Act, on_line};
use crate::app::{App, AppError};
use crate::domain::order::work::answer;
use crate::domain::reason;

/// Refuses the line; a document that stands at signature is withdrawn first.
///
/// # Errors
/// [`AppError`]: `REASON_UNKNOWN`, `LINE_STATE`, `DOCUMENT_BEING_WITHDRAWN`.
pub async fn refuse_line(
    app: &App,
    caller: &Caller,
    command: &Command,
    line_id: Uuid,
    reason_code: &str,
    text: &str,
) -> Result<Entry, AppError> {
    reason::check(reason_code, &reason::REFUSALS)
        .map_err(|description| AppError::invalid("reason_code", "REASON_UNKNOWN", description))?;
    let act = Act {
        action: "line.refuse",
        details: json!({ "reason": reason_code }),
    };
    let answer = answer(reason_code, text, app.ambient.now());
    on_line(app, caller, command, line_id, act, |work| {
        work.refuse(line_id, answer)
    })
    .await
}
