use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, FieldViolation, civil_date};

use super::staff::Staff;
use super::work::{Work, begin};
use super::{App, Command, Error, Reply};
use crate::domain::office::{Office, OfficeCode, OfficeKind};
use crate::domain::office_import::{self, Row, RowError};
use crate::domain::refusal::Refusal;
use crate::events::publish;
use crate::store::offices;

/// Opens all offices of a CSV, or none.
///
/// # Errors
/// [`Refusal::RoleRequired`]; [`Error::Invalid`] with every bad row, as `csv.line[12].name_ar`.
pub async fn import_offices<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    csv: &[u8],
    reply: impl FnOnce(&[Office]) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    Staff::of(work.conn(), app, caller)
        .await?
        .require_platform_administrator()?;
    let rows = office_import::parse(csv).map_err(invalid)?;
    let known = known(&mut work, &rows).await?;
    let kinds = known
        .iter()
        .map(|(code, (_, kind))| (code.clone(), *kind))
        .collect();
    let rows = office_import::link(rows, &kinds).map_err(invalid)?;
    let opened = open(&mut work, rows, known).await?;
    let details = json!({ "offices": opened.len() });
    let first = opened.first().map_or(Uuid::nil(), |office| office.id);
    work.audit("office.import", ("office", first), details).await?;
    work.finish(reply(&opened)).await
}

type Known = HashMap<OfficeCode, (Uuid, OfficeKind)>;

async fn known(work: &mut Work<'_>, rows: &[Row]) -> Result<Known, Error> {
    let mentioned: Vec<&str> = rows
        .iter()
        .flat_map(|row| std::iter::once(&row.details.code).chain(&row.parent))
        .map(OfficeCode::as_str)
        .collect();
    Ok(offices::by_codes(work.conn(), &mentioned).await?)
}

async fn open(work: &mut Work<'_>, rows: Vec<Row>, mut known: Known) -> Result<Vec<Office>, Error> {
    let ambient = work.ambient();
    let today = civil_date(ambient.now());
    let mut opened = Vec::with_capacity(rows.len());
    for row in rows {
        let parent = row
            .parent
            .as_ref()
            .and_then(|code| known.get(code))
            .map(|(id, _)| *id);
        let (office, fact) = Office::open(ambient.uuid_v7(), parent, row.details, today);
        if let Err(error) = offices::insert(work.conn(), &office).await {
            return Err(match error.constraint() {
                Some("office_code_key") => Refusal::OfficeCodeTaken.into(),
                _ => error.into(),
            });
        }
        work.event(publish::office(&office, &fact)).await?;
        known.insert(office.details.code.clone(), (office.id, office.details.kind));
        opened.push(office);
    }
    Ok(opened)
}

fn invalid(errors: Vec<RowError>) -> Error {
    let violation = |error: RowError| {
        let place = format!("csv.line[{}]", error.line);
        let field = if error.field.is_empty() {
            place
        } else {
            format!("{place}.{}", error.field)
        };
        FieldViolation::new(field, error.reason, error.description)
    };
    Error::Invalid(errors.into_iter().map(violation).collect())
}
