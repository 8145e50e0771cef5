//! The queue of the caller's offices.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::view::{self, RequestView};
use crate::app::{App, AppError, authorise};
use crate::domain::role;
use crate::domain::state::State;
use crate::store::claims::{self, Claim};
use crate::store::queue::{self, Filter};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    /// All offices of the caller without one.
    pub office_id: Option<Uuid>,
    /// Whose turn it is for the caller's roles, when empty.
    pub states: Vec<State>,
    pub kind: Option<String>,
    pub unclaimed_only: bool,
    pub after: Option<(DateTime<Utc>, Uuid)>,
    pub size: u16,
}

/// An entry of the queue.
#[derive(Debug)]
pub struct Entry {
    pub view: RequestView,
    pub claim: Option<Claim>,
}

/// A page of the queue.
#[derive(Debug)]
pub struct QueuePage {
    pub entries: Vec<Entry>,
    /// Filing time and id of the last one shown, where more follow.
    pub next: Option<(DateTime<Utc>, Uuid)>,
}

/// Lists open requests of the caller's offices, oldest filing first.
///
/// # Errors
/// [`AppError`]; an office where the caller does not work is not found.
pub async fn list_queue(app: &App, caller: &Caller, asked: QueueFilter) -> Result<QueuePage, AppError> {
    authorise::staff(caller)?;
    let filter = Filter {
        visible: visible(caller, asked.office_id, &asked.states)?,
        kind: asked.kind,
        not_claimed_by_others_than: asked.unclaimed_only.then_some(caller.person_id),
        after: asked.after,
        limit: i64::from(asked.size) + 1,
    };
    let now = app.ambient.now();
    let mut conn = app.pool.acquire().await?;
    let mut found = queue::list(&mut conn, &filter, now).await?;
    let more = found.len() > usize::from(asked.size);
    found.truncate(usize::from(asked.size));
    let last = found.last().filter(|_| more);
    let next = last.and_then(|request| Some((request.receipt.as_ref()?.submitted_at, request.id)));
    let ids: Vec<Uuid> = found.iter().map(|request| request.id).collect();
    let mut claims = claims::standing_on(&mut conn, &ids, now).await?;
    let entries = view::of_all(&mut conn, found)
        .await?
        .into_iter()
        .map(|view| Entry {
            claim: claims.remove(&view.request.id),
            view,
        })
        .collect();
    Ok(QueuePage { entries, next })
}

fn visible(
    caller: &Caller,
    office_id: Option<Uuid>,
    states: &[State],
) -> Result<Vec<(Uuid, State)>, AppError> {
    let works_at = |role| {
        caller
            .offices_with(role)
            .filter(move |id| office_id.is_none_or(|wanted| wanted == *id))
    };
    let agent: Vec<Uuid> = works_at(role::AGENT).collect();
    let officer: Vec<Uuid> = works_at(role::OFFICER).collect();
    if let Some(id) = office_id
        && agent.is_empty()
        && officer.is_empty()
    {
        return Err(AppError::NotFound {
            resource: "office",
            id,
        });
    }
    let pairs = |offices: &[Uuid], states: &[State]| -> Vec<(Uuid, State)> {
        offices
            .iter()
            .flat_map(|office| states.iter().map(move |state| (*office, *state)))
            .collect()
    };
    if states.is_empty() {
        let mut visible = pairs(&agent, &[State::Submitted]);
        visible.extend(pairs(&officer, &[State::AgentAccepted, State::AwaitingSignature]));
        return Ok(visible);
    }
    let mut visible = pairs(&agent, states);
    visible.extend(pairs(&officer, states));
    Ok(visible)
}
