//! One line with all that the office needs to work on it.

use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};

use super::entry::{self, Entry};
use super::{Act, audit};
use crate::app::search_acts::{self, SearchActs};
use crate::app::{App, AppError, authorise};
use crate::domain::clue::Clue;
use crate::domain::reference::LineReference;
use crate::domain::search::{Found, Person, Query};
use crate::store::evidence::{self, Evidence};
use crate::store::{custody, orders};

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

/// The acts that the clue may mean, in registers that the line's office holds.
async fn candidates(conn: &mut sqlx::PgConnection, app: &App, entry: &Entry) -> Result<Vec<Found>, AppError> {
    let clue = &entry.line.clue;
    let held = custody::held_by(conn, vec![entry.line.office_id], civil_date(app.ambient.now())).await?;
    let mut found: Vec<Found> = Vec::new();
    for query in [by_key(clue), by_person(clue)].into_iter().flatten() {
        let asked = SearchActs {
            office_id: Some(clue.office_id),
            kind: Some(clue.kind),
            query,
        };
        for act in search_acts::find(conn, &held, &asked).await? {
            if !found.iter().any(|known| known.act.id == act.act.id) {
                found.push(act);
            }
        }
    }
    found.truncate(CANDIDATES);
    Ok(found)
}

fn by_key(clue: &Clue) -> Option<Query> {
    Some(Query::Key {
        year: clue.year?,
        part: if clue.part.is_empty() {
            None
        } else {
            clue.part.parse().ok()
        },
        number: clue.number.parse().ok()?,
    })
}

fn by_person(clue: &Clue) -> Option<Query> {
    let name = &clue.person;
    let (given, family) = if name.family_latin.is_empty() {
        (&name.given_arabic, &name.family_arabic)
    } else {
        (&name.given_latin, &name.family_latin)
    };
    let date = clue.birth_date?;
    let born = crate::domain::written_date::PartialDate::new(
        date.year,
        date.month.cast_signed(),
        date.day.cast_signed(),
    );
    Person::new(given, family, Some(born.ok()?))
        .ok()
        .map(Query::Person)
}
