//! A line on paper goes back to the queue: it was taken by mistake, or its register lies elsewhere now.

use serde_json::Value;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use super::entry::{self, Entry};
use super::{Act, audit, finish, lock_line, served};
use crate::app::idempotent::{self, Prepared};
use crate::app::move_lines::move_lines;
use crate::app::{App, AppError, authorise, change};

const ACTION: &str = "line.release";

/// Gives the line back; it follows its register, which need not be at the caller's office any more.
///
/// # Errors
/// [`AppError`]: `LINE_STATE`, `DOCUMENT_PREPARED`, `OWN_ORDER`.
pub async fn release_line(
    app: &App,
    caller: &Caller,
    command: &Command,
    line_id: Uuid,
) -> Result<Entry, AppError> {
    authorise::staff(caller)?;
    let allowed = served(app, caller, line_id, ACTION);
    if let Prepared::New(mut transaction, _) = Box::pin(idempotent::prepare(app, command, allowed)).await? {
        let (order, line) = lock_line(&mut transaction, caller, line_id).await?;
        change::change_locked(&mut transaction, app, order, |work| work.release(line_id)).await?;
        let act = Act {
            action: ACTION,
            details: Value::Null,
        };
        audit(&mut transaction, app, caller, &line, act).await?;
        finish(transaction, command).await?;
        // It follows at once; what a failure leaves behind, the janitor moves.
        if let Err(error) = move_lines(app).await {
            tracing::warn!(
                event = "line.not_moved",
                error = wathiq_chassis::status::chain(&error),
                "a line follows its register later"
            );
        }
    }
    let mut conn = app.pool.acquire().await?;
    let found = entry::of_lines(&mut conn, &[line_id], app.ambient.now()).await?;
    let found = found.into_iter().next();
    found.ok_or_else(|| AppError::not_found("order_line", line_id))
}
