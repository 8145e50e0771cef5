//! Documents of lines with a digitised act are drawn and given to signature.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use super::assign_lines::{lock_orders, of_order};
use super::entry::{self, Entry};
use super::{Act, audit, finish};
use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, change, order_lines};
use crate::domain::kind::{DocumentKind, SealMode};
use crate::domain::order::line::{Document, Line};
use crate::domain::role;
use crate::domain::state::LineState;
use crate::domain::verification_code;
use crate::store::catalogue;
use crate::store::offices::{self, Profile};

/// Why one line of a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub line_id: Uuid,
    pub reason: &'static str,
    pub description: &'static str,
}

/// Has the documents drawn, each line by itself. The caller, an officer of the office, is named in them.
///
/// # Errors
/// [`AppError`]; what is wrong with single lines is a [`Problem`].
pub async fn prepare_documents(
    app: &App,
    caller: &Caller,
    command: &Command,
    line_ids: &[Uuid],
) -> Result<(Vec<Entry>, Vec<Problem>), AppError> {
    authorise::staff(caller)?;
    let mut problems = Vec::new();
    if let Begun::New(mut transaction) = idempotent::begin(app, command).await? {
        for order in lock_orders(&mut transaction, caller, line_ids).await? {
            let mut taken = Vec::new();
            for id in of_order(&order, line_ids) {
                let Some(line) = order.line(id) else { continue };
                match drawable(&mut transaction, app, caller, line).await? {
                    Ok((act_id, document)) => taken.push((line.clone(), act_id, document)),
                    Err(problem) => problems.push(problem),
                }
            }
            if taken.is_empty() {
                continue;
            }
            change::change_locked(&mut transaction, app, order, |work| {
                for (line, act_id, document) in &taken {
                    work.prepare(line.id, *act_id, document.clone())?;
                }
                Ok(())
            })
            .await?;
            for (line, act_id, _) in &taken {
                let act = Act {
                    action: "line.prepare",
                    details: json!({ "act_id": act_id }),
                };
                audit(&mut transaction, app, caller, line, act).await?;
            }
        }
        finish(app, transaction, command).await?;
    }
    let mut conn = app.pool.acquire().await?;
    let entries = entry::of_lines(&mut conn, line_ids, app.ambient.now()).await?;
    let entries = entries
        .into_iter()
        .filter(|entry| !problems.iter().any(|problem| problem.line_id == entry.line.id))
        .collect();
    Ok((entries, problems))
}

type Drawable = Result<(Uuid, Document), Problem>;

async fn drawable(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    line: &Line,
) -> Result<Drawable, AppError> {
    let problem = |reason, description| {
        Ok(Err(Problem {
            line_id: line.id,
            reason,
            description,
        }))
    };
    if !caller.holds(line.office_id, role::OFFICER) {
        return problem(
            "ROLE_MISSING",
            "only an officer of the office has documents drawn",
        );
    }
    let failed = line
        .document
        .as_ref()
        .is_some_and(|document| document.failure.is_some());
    if line.state != LineState::Paid && !(line.state == LineState::InProduction && failed) {
        return problem("LINE_STATE", "only a line that waits is taken");
    }
    let act_id = match line.act_id {
        Some(id) => Some(id),
        None => order_lines::act_of(conn, &line.clue).await?.map(|act| act.id),
    };
    let Some(act_id) = act_id else {
        return problem(
            "ACT_NOT_DIGITISED",
            "no digitised act is named, and the key finds none",
        );
    };
    let Some(profile) = offices::profile(conn, line.office_id).await? else {
        return problem(
            "OFFICE_PROFILE_MISSING",
            "the office has no profile yet: set it first",
        );
    };
    let Some(kind) = catalogue::kinds_by_id(conn, &[line.kind_id]).await?.pop() else {
        return problem("DOCUMENT_KIND_UNKNOWN", "the kind of document is not known");
    };
    let seal_mode = seal_mode(&kind, &profile);
    let mut random = [0; 8];
    app.ambient.random.fill(&mut random);
    let code = verification_code::from_random(u64::from_be_bytes(random));
    let document = Document {
        prepared_by: caller.person_id,
        prepared_at: app.ambient.now(),
        seal_mode,
        verification_code: (seal_mode != SealMode::ByHand).then_some(code),
        object_key: None,
        issued_document_id: None,
        digest: None,
        failure: None,
        sealed: false,
    };
    Ok(Ok((act_id, document)))
}

/// An office without a key signs by hand; for the kinds so configured the institution seals.
fn seal_mode(kind: &DocumentKind, profile: &Profile) -> SealMode {
    if profile.electronic_seal_kinds.contains(&kind.code) {
        SealMode::ElectronicSeal
    } else if profile.signs_by_hand {
        SealMode::ByHand
    } else {
        kind.seal_mode
    }
}
