//! The office's side of orders: one file a use case.

pub mod assign_lines;
pub mod check_entitlement;
pub mod create_batch_sheet;
pub mod download_batch_sheet;
pub mod download_evidence;
pub mod download_line_document;
pub mod entry;
pub mod get_line;
pub mod get_settlement;
pub mod hand_over_parcels;
pub mod link_act;
pub mod list_batch_sheets;
pub mod list_exceptions;
pub mod list_parcels;
pub mod list_prepared;
pub mod list_queue;
pub mod prepare_documents;
pub mod record_production;
pub mod refuse_line;
pub mod release_line;
pub mod request_correction;

use serde_json::Value;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, change, write};
use crate::domain::order::Order;
use crate::domain::order::line::Line;
use crate::domain::order::work::{Work, WorkError};
use crate::domain::role;
use crate::store::orders;
use entry::Entry;

/// What is done to a line, for the trail.
#[derive(Debug, Clone)]
pub struct Act {
    /// Such as `line.refuse`.
    pub action: &'static str,
    /// Without personal data.
    pub details: Value,
}

/// Locks the order of a line at an office of the caller's; others do not find it, and one's own is for others.
///
/// # Errors
/// [`AppError`]: `OWN_ORDER`.
pub async fn lock_line(
    conn: &mut PgConnection,
    caller: &Caller,
    line_id: Uuid,
) -> Result<(Order, Line), AppError> {
    let unknown = || AppError::not_found("order_line", line_id);
    let found = orders::orders_of_lines(conn, &[line_id]).await?;
    let (_, order_id) = found.first().ok_or_else(unknown)?;
    let order = orders::lock(conn, *order_id).await?.ok_or_else(unknown)?;
    let line = order.line(line_id).cloned().ok_or_else(unknown)?;
    authorise::works_at(caller, line.office_id).map_err(|error| match error {
        AppError::NotFound { .. } => unknown(),
        error => error,
    })?;
    authorise::not_own(caller, &order)?;
    Ok((order, line))
}

/// The line, where the caller may do such a thing to it at this moment: identity is asked. A denial leaves a trace.
///
/// # Errors
/// [`AppError`]: `OWN_ORDER`, `SESSION_ENDED`, `ROLE_MISSING`, or identity's silence.
pub async fn served(
    app: &App,
    caller: &Caller,
    line_id: Uuid,
    action: &'static str,
) -> Result<Entry, AppError> {
    let entry = entry::of_line(app, caller, line_id).await?;
    let allowed = async {
        authorise::not_own(caller, &entry.view.order)?;
        authorise::live_in(app, caller, entry.line.office_id, &[role::AGENT, role::OFFICER]).await
    };
    let subject = write::Subject {
        aggregate: "order_line",
        id: line_id,
    };
    write::trace_denial(app, caller, action, subject, allowed.await).await?;
    Ok(entry)
}

/// Does one thing to one line, once; identity says that the caller may at this moment.
///
/// # Errors
/// [`AppError`].
pub async fn on_line(
    app: &App,
    caller: &Caller,
    command: &Command,
    line_id: Uuid,
    act: Act,
    work: impl FnOnce(&mut Work<'_>) -> Result<(), WorkError>,
) -> Result<Entry, AppError> {
    authorise::staff(caller)?;
    let allowed = served(app, caller, line_id, act.action);
    if let Prepared::New(mut transaction, _) = Box::pin(idempotent::prepare(app, command, allowed)).await? {
        let (order, line) = lock_line(&mut transaction, caller, line_id).await?;
        change::change_locked(&mut transaction, app, order, work).await?;
        audit(&mut transaction, app, caller, &line, act).await?;
        finish(transaction, command).await?;
    }
    entry::of_line(app, caller, line_id).await
}

/// Closes a command of which the answer is made anew each time.
///
/// # Errors
/// [`AppError`].
pub async fn finish(transaction: Transaction<'static, Postgres>, command: &Command) -> Result<(), AppError> {
    idempotent::finish(transaction, command, Vec::new()).await?;
    Ok(())
}

/// Audits what was done to a line.
///
/// # Errors
/// [`AppError`].
pub async fn audit(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    line: &Line,
    act: Act,
) -> Result<(), AppError> {
    audit_all(conn, app, caller, vec![(line.id, act)]).await
}

/// Audits what was done to lines.
///
/// # Errors
/// [`AppError`].
pub async fn audit_all(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    acts: Vec<(Uuid, Act)>,
) -> Result<(), AppError> {
    let acts = acts.into_iter().map(|(id, act)| write::Done {
        action: act.action,
        subject: write::Subject {
            aggregate: "order_line",
            id,
        },
        details: act.details,
    });
    write::audit_all(conn, &app.ambient, caller, acts.collect()).await
}
