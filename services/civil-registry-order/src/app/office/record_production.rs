//! An act was produced by hand: recorded by scanning the line's barcode.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use super::assign_lines::{Member, check_member};
use super::entry::{self, Entry};
use super::{Act, audit, finish, get_line, lock_line, served};
use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, change};
use crate::domain::order::line::Production;
use crate::domain::reference::LineReference;
use crate::domain::role;
use crate::store::orders;

const ACTION: &str = "line.produce";

/// Records who looked into the register and which officer signed: none of them in an order of their own.
///
/// # Errors
/// [`AppError`]: `OWN_ORDER`, `NOT_A_MEMBER`, `LINE_STATE`, `DOCUMENT_PREPARED`; a barcode that is unknown or of another office is not found.
pub async fn record_production(
    app: &App,
    caller: &Caller,
    command: &Command,
    reference: LineReference,
    officer: Uuid,
    looked_by: Option<Uuid>,
) -> Result<Entry, AppError> {
    authorise::staff(caller)?;
    let line_id = {
        let mut conn = app.pool.acquire().await?;
        let found = orders::ids_of_line_reference(&mut conn, &reference).await?;
        found
            .map(|(line, _)| line)
            .ok_or_else(|| get_line::unknown(reference))?
    };
    let unknown = |error| match error {
        AppError::NotFound { .. } => get_line::unknown(reference),
        error => error,
    };
    entry::of_line(app, caller, line_id).await.map_err(unknown)?;
    let members = async {
        let served = served(app, caller, line_id, ACTION).await?;
        let office_id = served.line.office_id;
        let signer = Member {
            field: "officer_person_id",
            person: officer,
            roles: &[role::OFFICER],
        };
        check_member(app, caller, office_id, signer).await?;
        if let Some(person) = looked_by {
            let looker = Member {
                field: "looked_by_person_id",
                person,
                roles: &[role::AGENT, role::OFFICER],
            };
            check_member(app, caller, office_id, looker).await?;
        }
        Ok(())
    };
    if let Prepared::New(mut transaction, ()) = Box::pin(idempotent::prepare(app, command, members)).await? {
        let (order, line) = lock_line(&mut transaction, caller, line_id).await?;
        let looked_by = looked_by.unwrap_or(caller.person_id);
        let production = Production {
            produced_at: app.ambient.now(),
            looked_by: Some(looked_by),
            signed_by: Some(officer),
        };
        change::change_locked(&mut transaction, app, order, |work| {
            work.produce_by_hand(line_id, production)
        })
        .await?;
        let act = Act {
            action: ACTION,
            details: json!({ "officer": officer, "looked_by": looked_by }),
        };
        audit(&mut transaction, app, caller, &line, act).await?;
        finish(transaction, command).await?;
    }
    entry::of_line(app, caller, line_id).await
}
