//! The office names the digitised act of a line.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use super::entry::{self, Entry};
use super::{Act, audit, finish, lock_line};
use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, change};
use crate::domain::order::work::FoundAct;
use crate::domain::{comparison, entitlement};
use crate::store::{acts, catalogue, custody};

/// Names the act, one in a register that the line's office holds or, for a kind made by any office, one of the office that was named. With `confirmation`, a reason, an official says that it is the one ordered
/// although it differs.
///
/// # Errors
/// [`AppError`]: `ACT_OF_OTHER_REGISTER`, `DOCUMENT_PREPARED`, `LINE_STATE`.
pub async fn link_act(
    app: &App,
    caller: &Caller,
    command: &Command,
    line_id: Uuid,
    act_id: Uuid,
    confirmation: Option<&str>,
) -> Result<Entry, AppError> {
    authorise::staff(caller)?;
    if let Begun::New(mut transaction) = idempotent::begin(app, command).await? {
        let (order, line) = lock_line(&mut transaction, caller, line_id).await?;
        let act = acts::find(&mut transaction, act_id).await?;
        let act = act.ok_or_else(|| AppError::not_found("act", act_id))?;
        let key = &act.key;
        let today = civil_date(app.ambient.now());
        let holder = custody::holder(&mut transaction, key.office_id, key.kind, key.year, today).await?;
        let kinds = catalogue::kinds_by_id(&mut transaction, &[line.kind_id]).await?;
        if !kinds
            .iter()
            .any(|kind| kind.routing.reaches(&line, key.office_id, holder))
        {
            return Err(AppError::not_found("act", act_id));
        }
        if key.kind != line.clue.kind {
            return Err(AppError::refused(
                "ACT_OF_OTHER_REGISTER",
                "act_id",
                "the act is not of the register that this kind of document is made from",
            ));
        }
        let differences = comparison::of_line(&line, &order.applicant, &act);
        let found = FoundAct {
            act_id,
            confirmed: confirmation.is_some() && !differences.is_empty(),
            proof: entitlement::proof_by(&order.applicant, &line, &act),
        };
        change::change_locked(&mut transaction, app, order, |work| {
            work.act_found(line_id, found)
        })
        .await?;
        let note = confirmation.filter(|_| found.confirmed);
        let act = Act {
            action: if found.confirmed {
                "line.confirm_act"
            } else {
                "line.link_act"
            },
            details: json!({ "act_id": act_id, "differences": differences, "note": note }),
        };
        audit(&mut transaction, app, caller, &line, act).await?;
        finish(transaction, command).await?;
    }
    entry::of_line(app, caller, line_id).await
}
