//! Documents of lines with a digitised act are drawn and given to signature.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Caller, Grant, civil_date};
use wathiq_outbox::Command;

use super::assign_lines::{lock_visible, of_order};
use super::entry::{self, Entry};
use super::{Act, audit_all};
use crate::app::change::Changes;
use crate::app::idempotent::{self, Prepared};
use crate::app::order_lines::{self, Digitised};
use crate::app::{App, AppError, authorise, draw_document};
use crate::domain::act;
use crate::domain::kind::{DocumentKind, Form, Proof, SealMode};
use crate::domain::order::Order;
use crate::domain::order::line::{Document, Line};
use crate::domain::role;
use crate::domain::state::LineState;
use crate::domain::{comparison, entitlement};
use crate::store::custody::{self, Held};
use crate::store::offices::{self, Profile};
use crate::store::{acts, catalogue};

/// Why one line of a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub line_id: Uuid,
    pub reason: String,
    pub description: String,
}

/// Has the documents drawn, each line by itself. The caller, an officer of the office as identity says at this moment, is named in them.
///
/// # Errors
/// [`AppError`]: `SESSION_ENDED`, or identity's silence; what is wrong with single lines is a [`Problem`].
pub async fn prepare_documents(
    app: &App,
    caller: &Caller,
    command: &Command,
    line_ids: &[Uuid],
) -> Result<(Vec<Entry>, Vec<Problem>), AppError> {
    authorise::staff(caller)?;
    let roles = authorise::live_grants(app, caller);
    let problems: Vec<Problem> = match Box::pin(idempotent::prepare(app, command, roles)).await? {
        Prepared::Done(answer) => serde_json::from_slice(&answer).map_err(|_| AppError::Stale)?,
        Prepared::New(mut transaction, grants) => {
            let officer = Officer { caller, grants };
            let problems = take(&mut transaction, app, &officer, line_ids).await?;
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

/// Who has documents drawn, and what they hold at this moment.
struct Officer<'a> {
    caller: &'a Caller,
    grants: Vec<Grant>,
}

impl Officer<'_> {
    fn is_of(&self, office_id: Uuid) -> bool {
        let mut grants = self.grants.iter();
        grants.any(|grant| grant.office_id == office_id && grant.role == role::OFFICER)
    }
}

async fn take(
    transaction: &mut PgConnection,
    app: &App,
    officer: &Officer<'_>,
    line_ids: &[Uuid],
) -> Result<Vec<Problem>, AppError> {
    let caller = officer.caller;
    let orders = lock_visible(transaction, caller, line_ids).await?;
    let mut desk = Desk::open(transaction, app, officer, &orders, line_ids).await?;
    let (mut problems, mut taken) = (Vec::new(), Vec::new());
    for order in &orders {
        for line in of_order(order, line_ids)
            .into_iter()
            .filter_map(|id| order.line(id))
        {
            match desk.drawable(transaction, order, line).await? {
                Ok(drawable) => taken.push((order.id, line.clone(), drawable)),
                Err(problem) => problems.push(problem),
            }
        }
    }
    let mut changes = Changes::of(transaction, app, orders).await?;
    let mut acts = Vec::with_capacity(taken.len());
    for (order_id, line, (act_id, proof, document)) in taken {
        changes.change(order_id, |work| work.prepare(line.id, act_id, proof, document))?;
        let act = Act {
            action: "line.prepare",
            details: json!({ "act_id": act_id }),
        };
        acts.push((line.id, act));
    }
    changes.write(transaction).await?;
    audit_all(transaction, app, caller, acts).await?;
    Ok(problems)
}

type Drawable = Result<(Uuid, Proof, Document), Problem>;

/// What lines of a batch have in common is read once.
struct Desk<'a> {
    app: &'a App,
    officer: &'a Officer<'a>,
    acts: HashMap<Uuid, act::Act>,
    kinds: Vec<DocumentKind>,
    held: Held,
    profiles: HashMap<Uuid, Option<Profile>>,
}

impl<'a> Desk<'a> {
    async fn open(
        conn: &mut PgConnection,
        app: &'a App,
        officer: &'a Officer<'a>,
        orders: &[Order],
        line_ids: &[Uuid],
    ) -> Result<Self, AppError> {
        let lines = orders.iter().flat_map(|order| &order.lines);
        let lines: Vec<&Line> = lines.filter(|line| line_ids.contains(&line.id)).collect();
        let act_ids: Vec<Uuid> = lines.iter().filter_map(|line| line.act_id).collect();
        let kind_ids: Vec<Uuid> = lines.iter().map(|line| line.kind_id).collect();
        let today = civil_date(app.ambient.now());
        Ok(Self {
            app,
            officer,
            acts: acts::find_all(conn, &act_ids).await?,
            kinds: catalogue::kinds_by_id(conn, &kind_ids).await?,
            held: custody::held_by(conn, Vec::new(), today).await?,
            profiles: HashMap::new(),
        })
    }

    async fn profile(
        &mut self,
        conn: &mut PgConnection,
        office_id: Uuid,
    ) -> Result<Option<Profile>, AppError> {
        Ok(match self.profiles.entry(office_id) {
            Place::Occupied(known) => known.into_mut(),
            Place::Vacant(place) => place.insert(offices::profile(conn, office_id).await?),
        }
        .clone())
    }

    async fn drawable(
        &mut self,
        conn: &mut PgConnection,
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
        let caller = self.officer.caller;
        if order.person_id == caller.person_id {
            return problem("OWN_ORDER", "one's own order is served by somebody else");
        }
        if !self.officer.is_of(line.office_id) {
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
            Some(id) => self.acts.get(&id).cloned(),
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
        if line.confirmed_act != Some(act.id) && !comparison::of_line(line, &order.applicant, &act).is_empty()
        {
            return problem(
                "ACT_NOT_CONFIRMED",
                "the act differs from what was ordered: confirm that it is the one, or ask the applicant",
            );
        }
        let key = &act.key;
        let holder = self.held.holder(key.office_id, key.kind, key.year);
        let kind = self.kinds.iter().find(|kind| kind.id == line.kind_id);
        if kind.is_some_and(|kind| !kind.routing.reaches(line, key.office_id, holder)) {
            return problem(
                "REGISTER_ELSEWHERE",
                "another office holds the register of this act today",
            );
        }
        let Some(profile) = self.profile(conn, line.office_id).await? else {
            return problem(
                "OFFICE_PROFILE_MISSING",
                "the office has no profile yet: set it first",
            );
        };
        let Some(kind) = self.kinds.iter().find(|kind| kind.id == line.kind_id) else {
            return problem("DOCUMENT_KIND_UNKNOWN", "the kind of document is not known");
        };
        if kind.form == Form::Extract && act.notes.iter().any(|note| note.draft.leaves_extract_open()) {
            return problem(
                "NOTE_WITHOUT_CHANGES",
                "a marginal note changes the extract and does not say what: the digitised act cannot be drawn",
            );
        }
        let seal_mode = seal_mode(kind, &profile);
        let code = draw_document::verification_code(&self.app.ambient);
        let document = Document {
            prepared_by: caller.person_id,
            prepared_at: self.app.ambient.now(),
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
