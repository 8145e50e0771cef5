//! Looking for acts, by key or by person.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, registers, write};
use crate::domain::act_key::RegisterKind;
use crate::domain::fold;
use crate::domain::search::{self, Findings, Found, MOST, Person, Query};
use crate::store::StoreError;
use crate::store::acts::search::{self as acts, Hits, Scope};
use crate::store::custody::Held;

/// What to look for, and where.
#[derive(Debug, Clone)]
pub struct SearchActs {
    /// The office of registration; every register of the caller's offices without one.
    pub office_id: Option<Uuid>,
    /// Both registers without one.
    pub kind: Option<RegisterKind>,
    pub query: Query,
}

/// Acts of registers that the caller's offices hold today, nearest first; the search is audited.
///
/// # Errors
/// [`AppError`]; an office whose registers are not with the caller's is not found.
pub async fn search_acts(app: &App, caller: &Caller, asked: SearchActs) -> Result<Findings, AppError> {
    let mut conn = app.pool.acquire().await?;
    let held = registers::held(&mut conn, &app.ambient, caller).await?;
    if let Some(office_id) = asked.office_id {
        registers::some_of(&held, office_id)?;
    }
    let found = find(&mut conn, &held, &asked).await?;
    let ids: Vec<Uuid> = found.acts.iter().map(|found| found.act.id).collect();
    // What was looked for names people; what was found is enough to tell who has seen which act.
    let details = json!({ "query": asked.query.name(), "found": ids });
    let subject = write::Subject {
        aggregate: "register",
        id: asked.office_id.unwrap_or_default(),
    };
    write::audit(&mut conn, &app.ambient, caller, "act.search", subject, details).await?;
    Ok(found)
}

/// The acts that can be meant, in registers that these offices hold.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, held: &Held, asked: &SearchActs) -> Result<Findings, StoreError> {
    let scope = Scope {
        offices: asked.office_id.map_or_else(|| held.offices(), |id| vec![id]),
        kinds: asked
            .kind
            .map_or_else(|| RegisterKind::ALL.to_vec(), |kind| vec![kind]),
    };
    let (mut found, cut) = match &asked.query {
        Query::Key { year, part, number } => {
            let hits = acts::by_key(conn, &scope, *year, part.as_ref(), number).await?;
            let found = |act| Found {
                act,
                similarity: 1.0,
                differences: Vec::new(),
            };
            (hits.acts.into_iter().map(found).collect(), hits.cut)
        }
        Query::Person(person) => {
            let hits = of_person(conn, &scope, person).await?;
            (search::rank(person, hits.acts), hits.cut)
        }
    };
    // An office of registration may have given away some years of its registers.
    found.retain(|found: &Found| {
        let key = &found.act.key;
        held.holds(key.office_id, key.kind, key.year)
    });
    let truncated = cut || found.len() > MOST;
    found.truncate(MOST);
    Ok(Findings {
        acts: found,
        truncated,
    })
}

/// By birth date, by family name in the year of birth, and, where only the year is known, by neighbours of the family name.
async fn of_person(conn: &mut PgConnection, scope: &Scope, person: &Person) -> Result<Hits, StoreError> {
    let mut candidates = Hits::default();
    let born = person.born();
    if let Some(day) = born.full() {
        candidates.extend(acts::born_on(conn, scope, day).await?);
    }
    if let Some((script, family)) = person.family() {
        let year = born.year();
        candidates.extend(acts::of_family(conn, scope, year, script, fold::family_span(&family)).await?);
        if born.full().is_none() {
            let span = fold::family_neighbours(&family);
            candidates.extend(acts::of_family(conn, scope, year, script, span).await?);
        }
    }
    Ok(candidates)
}
