//! The citizen corrects what the office could not find.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::order_lines::{AskedLine, Desk};
use crate::app::place_order::{check_addressee, keep_evidence};
use crate::app::view::OrderView;
use crate::app::{App, AppError, authorise, change, get_order, write};
use crate::domain::clue::{Clue, TypedClue};
use crate::domain::fault::Faults;
use crate::domain::kind::Routing;
use crate::domain::order::work::Correction;
use crate::domain::state::{LineState, Step};
use crate::store::{catalogue, orders};

/// What is corrected.
pub struct CorrectLine {
    pub order_id: Uuid,
    pub line_id: Uuid,
    pub act: TypedClue,
    /// Beside what was given before.
    pub evidence_ids: Vec<Option<Uuid>>,
    /// The version that the caller saw, where one is said.
    pub seen: Option<i64>,
}

/// Corrects a line, which goes to the office again: the one that holds the register now meant. Its price stays.
///
/// # Errors
/// [`AppError`]: `LINE_STATE`, `ORDER_CHANGED`, and everything that is wrong with the fields.
pub async fn correct_line(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: CorrectLine,
) -> Result<OrderView, AppError> {
    authorise::orderer(caller)?;
    let order_id = asked.order_id;
    let gathering = async { Ok(app.identity.offices().await?) };
    if let Prepared::New(mut transaction, offices) = idempotent::prepare(app, command, gathering).await? {
        let order = orders::lock(&mut transaction, order_id).await?;
        let order = order.filter(|order| order.person_id == caller.person_id);
        let order = order.ok_or_else(|| AppError::not_found("order", order_id))?;
        if asked.seen.is_some_and(|version| version != order.version) {
            return Err(AppError::Stale);
        }
        let line = order.line(asked.line_id).cloned();
        let line = line.ok_or_else(|| AppError::not_found("order_line", asked.line_id))?;
        if line.state != LineState::ToCorrect {
            // Says in which state it is instead.
            line.after(Step::Correct, app.ambient.now())
                .map_err(crate::domain::order::work::WorkError::from)?;
            return Err(AppError::Stale);
        }
        let desk = Desk::open(&mut transaction, app, offices).await?;
        let kinds = catalogue::kinds_by_id(&mut transaction, &[line.kind_id]).await?;
        let kind = kinds
            .first()
            .ok_or_else(|| AppError::not_found("document_kind", &line.document_kind))?;
        let mut evidence_ids: Vec<Option<Uuid>> = line.evidence_ids.iter().copied().map(Some).collect();
        evidence_ids.extend(
            asked
                .evidence_ids
                .iter()
                .filter(|id| !line.evidence_ids.iter().any(|old| Some(*old) == **id)),
        );
        let again = AskedLine {
            document_kind: line.document_kind.clone(),
            language: Some(line.language),
            copies: line.copies.into(),
            act: asked.act,
            relation: Some(line.relation),
            evidence_ids,
            producing_office_id: (kind.routing == Routing::ChosenOffice).then_some(line.office_id),
        };
        let mut faults = Faults::default();
        let judged = desk
            .judge_act(
                &mut transaction,
                &mut faults,
                again,
                kind,
                line.price,
                &order.applicant,
                caller.person_id,
            )
            .await?;
        if let Some(judged) = &judged {
            let others = order
                .lines
                .iter()
                .filter(|other| other.id != line.id && !other.has_ended());
            let mut clues: Vec<&Clue> = others.map(|other| &other.clue).collect();
            clues.push(&judged.clue);
            check_addressee(&mut faults, &order.addressee, &order.applicant, &clues);
        }
        let (true, Some(judged)) = (faults.is_empty(), judged) else {
            return Err(AppError::faults(faults));
        };
        keep_evidence(&mut transaction, &judged.evidence_ids, caller.person_id, order_id).await?;
        let correction = Correction {
            clue: judged.clue,
            office_id: judged.office_id,
            act_id: judged.act_id,
            proof: judged.proof,
            evidence_ids: judged.evidence_ids,
        };
        change::change_locked(&mut transaction, app, order, |work| {
            work.correct(line.id, correction)
        })
        .await?;
        let subject = write::Subject {
            aggregate: "order_line",
            id: line.id,
        };
        write::audit(
            &mut transaction,
            &app.ambient,
            caller,
            "line.correct",
            subject,
            json!({}),
        )
        .await?;
        idempotent::finish(transaction, command, Vec::new()).await?;
    }
    let view = get_order::shown(app, order_id).await?;
    if view.order.person_id == caller.person_id {
        return Ok(view);
    }
    Err(AppError::not_found("order", order_id))
}
