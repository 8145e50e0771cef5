//! One line with all that the office needs to work on it.

use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};

use super::entry::{self, Entry};
use super::{Act, audit};
use crate::app::search_acts::{self, SearchActs};
use crate::app::{App, AppError, authorise};
use crate::domain::act_key::RegisterPart;
use crate::domain::clue::Clue;
use crate::domain::comparison;
use crate::domain::kind::Routing;
use crate::domain::order::line::Line;
use crate::domain::reference::LineReference;
use crate::domain::search::{Found, Person, Query};
use crate::domain::written_date::PartialDate;
use crate::store::custody::Held;
use crate::store::evidence::{self, Evidence};
use crate::store::{acts, catalogue, custody, orders};

/// Most acts that are offered.
const CANDIDATES: usize = 10;

/// Which line.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    Id(Uuid),
    Reference(LineReference),
}

/// A line in full.
#[derive(Debug)]
pub struct FullLine {
    pub entry: Entry,
    pub evidence: Vec<Evidence>,
    /// Acts that may be meant, best first.
    pub candidates: Vec<Found>,
    /// Other lines of the order at this office.
    pub siblings: Vec<Uuid>,
}

/// Shows a line to whoever works at its office; the look is audited.
///
/// # Errors
/// [`AppError`].
pub async fn get_line(app: &App, caller: &Caller, key: Key) -> Result<FullLine, AppError> {
    authorise::staff(caller)?;
    let mut conn = app.pool.acquire().await?;
    let line_id = match key {
        Key::Id(id) => id,
        Key::Reference(reference) => {
            let found = orders::ids_of_line_reference(&mut conn, &reference).await?;
            found.map(|(line, _)| line).ok_or_else(|| unknown(reference))?
        }
    };
    drop(conn);
    let entry = entry::of_line(app, caller, line_id).await?;
    let mut conn = app.pool.acquire().await?;
    let evidence = evidence::get(&mut conn, &entry.line.evidence_ids).await?;
    let candidates = candidates(&mut conn, app, &entry).await?;
    let act = Act {
        action: "line.read",
        details: serde_json::Value::Null,
    };
    audit(&mut conn, app, caller, &entry.line, act).await?;
    let siblings = entry.view.order.lines.iter();
    let siblings = siblings
        .filter(|line| line.office_id == entry.line.office_id && line.id != line_id)
        .map(|line| line.id)
        .collect();
    Ok(FullLine {
        entry,
        evidence,
        candidates,
        siblings,
    })
}

/// A reference of no line of the caller's.
pub fn unknown(reference: LineReference) -> AppError {
    AppError::not_found("order_line", reference)
}

/// The registers in which the act of a line is looked for.
async fn registers(conn: &mut sqlx::PgConnection, app: &App, line: &Line) -> Result<Held, AppError> {
    let today = civil_date(app.ambient.now());
    let kinds = catalogue::kinds_by_id(conn, &[line.kind_id]).await?;
    let clue = &line.clue;
    let office = match kinds.first().map(|kind| kind.routing) {
        Some(Routing::ChosenOffice) => {
            custody::holder(conn, clue.office_id, clue.kind, clue.register_year(today), today).await?
        }
        Some(Routing::OfficeOfRegistration) | None => line.office_id,
    };
    Ok(custody::held_by(conn, vec![office], today).await?)
}

/// The acts that the clue may mean, in registers that the line's office holds, or the one that was named.
async fn candidates(conn: &mut sqlx::PgConnection, app: &App, entry: &Entry) -> Result<Vec<Found>, AppError> {
    let clue = &entry.line.clue;
    let held = registers(conn, app, &entry.line).await?;
    let mut found: Vec<Found> = Vec::new();
    for query in by_key(clue).into_iter().chain(by_person(clue)) {
        let asked = SearchActs {
            office_id: Some(clue.office_id),
            kind: Some(clue.kind),
            query,
        };
        for act in search_acts::find(conn, &held, &asked).await?.acts {
            match found.iter_mut().find(|known| known.act.id == act.act.id) {
                Some(known) if known.similarity >= act.similarity => {}
                Some(known) => *known = act,
                None => found.push(act),
            }
        }
    }
    found.sort_by(|one, other| other.similarity.total_cmp(&one.similarity));
    // The part that the clue names comes first.
    if let (false, Ok(part)) = (clue.part.is_empty(), clue.part.parse::<RegisterPart>()) {
        found.sort_by_key(|found| found.act.key.part != part);
    }
    found.truncate(CANDIDATES);
    let applicant = &entry.view.order.applicant;
    for found in &mut found {
        if let Some(act) = acts::find(conn, found.act.id).await? {
            found.differences = comparison::of_line(&entry.line, applicant, &act);
            found.similarity = found.similarity.min(comparison::agreement(&found.differences));
        }
    }
    Ok(found)
}

fn by_key(clue: &Clue) -> Option<Query> {
    Some(Query::Key {
        year: clue.year?,
        // Whatever part it says: that is the first thing to be remembered wrongly.
        part: None,
        number: clue.number.parse().ok()?,
    })
}

/// One query for each script in which the name is known: an act may have been digitised in one alone.
fn by_person(clue: &Clue) -> Vec<Query> {
    let Some(date) = clue.birth_date else {
        return Vec::new();
    };
    let born = PartialDate::new(date.year, date.month.cast_signed(), date.day.cast_signed()).ok();
    let name = &clue.person;
    [
        (&name.given_latin, &name.family_latin),
        (&name.given_arabic, &name.family_arabic),
    ]
    .into_iter()
    .filter_map(|(given, family)| Person::new(given, family, born).ok())
    .map(Query::Person)
    .collect()
}
