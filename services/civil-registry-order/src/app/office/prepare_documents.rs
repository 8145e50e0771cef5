//! Documents of lines with a digitised act are drawn and given to signature.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use super::assign_lines::{lock_orders, of_order};
use super::entry::{self, Entry};
use super::{Act, audit};
use crate::app::idempotent::{self, Begun};
use crate::app::order_lines::{self, Digitised};
use crate::app::{App, AppError, authorise, change, draw_document};
use crate::domain::kind::{DocumentKind, Form, Proof, SealMode};
use crate::domain::order::Order;
use crate::domain::order::line::{Document, Line};
use crate::domain::role;
use crate::domain::state::LineState;
use crate::domain::{comparison, entitlement};
use crate::store::offices::{self, Profile};
use crate::store::{acts, catalogue, custody};

/// Why one line of a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub line_id: Uuid,
    pub reason: String,
    pub description: String,
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
    let problems: Vec<Problem> = match idempotent::begin(app, command).await? {
        Begun::Done(answer) => serde_json::from_slice(&answer).map_err(|_| AppError::Stale)?,
        Begun::New(mut transaction) => {
            let problems = take(&mut transaction, app, caller, line_ids).await?;
            let answer = serde_json::to_vec(&problems).map_err(|_| AppError::Stale)?;
            idempotent::finish(transaction, command, answer).await?;
            problems
        }
    };
    let mut conn = app.pool.acquire().await?;
    let entries = entry::of_lines(&mut conn, line_ids, app.ambient.now()).await?;
    let entries = entries
        .into_iter()
        .filter(|entry| !problems.iter().any(|problem| problem.line_id == entry.line.id))
        .collect();
    Ok((entries, problems))
}

async fn take(
    transaction: &mut PgConnection,
    app: &App,
    caller: &Caller,
    line_ids: &[Uuid],
) -> Result<Vec<Problem>, AppError> {
    let mut problems = Vec::new();
    for order in lock_orders(transaction, caller, line_ids).await? {
        let mut taken = Vec::new();
        for id in of_order(&order, line_ids) {
            let Some(line) = order.line(id) else { continue };
            match drawable(transaction, app, caller, &order, line).await? {
                Ok((act_id, proof, document)) => taken.push((line.clone(), act_id, proof, document)),
                Err(problem) => problems.push(problem),
            }
        }
        if taken.is_empty() {
            continue;
        }
        change::change_locked(transaction, app, order, |work| {
            for (line, act_id, proof, document) in &taken {
                work.prepare(line.id, *act_id, *proof, document.clone())?;
            }
            Ok(())
        })
        .await?;
        for (line, act_id, ..) in &taken {
            let act = Act {
                action: "line.prepare",
                details: json!({ "act_id": act_id }),
            };
            audit(transaction, app, caller, line, act).await?;
        }
    }
    Ok(problems)
}

type Drawable = Result<(Uuid, Proof, Document), Problem>;

async fn drawable(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    order: &Order,
    line: &Line,
) -> Result<Drawable, AppError> {
    let problem = |reason: &str, description: &str| {
        Ok(Err(Problem {
            line_id: line.id,
            reason: reason.to_owned(),
            description: description.to_owned(),
        }))
    };
    if !caller.holds(line.office_id, role::OFFICER) {
        return problem(
            "ROLE_MISSING",
            "only an officer of the office has documents drawn",
        );
    }
    let again = line.document.as_ref().is_some_and(|document| {
        let taken_over = line.is_open_to_redrawing() && document.prepared_by != caller.person_id;
        document.failure.is_some() || taken_over
    });
    if line.state != LineState::Paid && !(line.state == LineState::InProduction && again) {
        return problem("LINE_STATE", "only a line that waits is taken");
    }
    let found = match line.act_id {
        Some(id) => acts::find(conn, id).await?,
        None => match order_lines::act_of(conn, &line.clue).await? {
            Digitised::One(act) => Some(*act),
            Digitised::InOtherParts => {
                return problem(
                    "ACT_TO_CHOOSE",
                    "the register has parts: choose the act among the line's candidates",
                );
            }
            Digitised::None => None,
        },
    };
    let Some(act) = found else {
        return problem(
            "ACT_NOT_DIGITISED",
            "no digitised act is named, and the key finds none",
        );
    };
    // An act that was digitised after the order can prove what none could then.
    let proof = match line.proof {
        Proof::Checked => Proof::Checked,
        _ => entitlement::proof_by(&order.applicant, line, &act),
    };
    if !matches!(proof, Proof::Acts | Proof::Checked) {
        return problem(
            "ENTITLEMENT_NOT_CHECKED",
            "who ordered it is not known to be entitled to the act: check it, and record that",
        );
    }
    if line.confirmed_act != Some(act.id) && !comparison::of_line(line, &order.applicant, &act).is_empty() {
        return problem(
            "ACT_NOT_CONFIRMED",
            "the act differs from what was ordered: confirm that it is the one, or ask the applicant",
        );
    }
    let today = civil_date(app.ambient.now());
    let key = &act.key;
    if custody::holder(conn, key.office_id, key.kind, key.year, today).await? != line.office_id {
        return problem(
            "REGISTER_ELSEWHERE",
            "another office holds the register of this act today",
        );
    }
    let Some(profile) = offices::profile(conn, line.office_id).await? else {
        return problem(
            "OFFICE_PROFILE_MISSING",
            "the office has no profile yet: set it first",
        );
    };
    let Some(kind) = catalogue::kinds_by_id(conn, &[line.kind_id]).await?.pop() else {
        return problem("DOCUMENT_KIND_UNKNOWN", "the kind of document is not known");
    };
    if kind.form == Form::Extract && act.notes.iter().any(|note| note.draft.leaves_extract_open()) {
        return problem(
            "NOTE_WITHOUT_CHANGES",
            "a marginal note changes the extract and does not say what: the digitised act cannot be drawn",
        );
    }
    let seal_mode = seal_mode(&kind, &profile);
    let code = draw_document::verification_code(&app.ambient);
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
        again: None,
    };
    Ok(Ok((act.id, proof, document)))
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
