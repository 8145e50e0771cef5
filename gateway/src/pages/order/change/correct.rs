//! The citizen corrects what the office could not find, and attaches what it asks for.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Path, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use uuid::Uuid;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::{line_of, mendable, order, order_page, said, signed_in};
use crate::api::civil_status;
use crate::api::percent_encode;
use crate::api::wire::{PartialDate, Show, Tell};
use crate::app::App;
use crate::json::Query;
use crate::language::text;
use crate::pages::order::Names;
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User};

/// A name of the act in both scripts, as fields of the form.
struct NameFields {
    legend: &'static str,
    fields: [NameField; 4],
}

struct NameField {
    name: String,
    label: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "order_correct.html")]
struct CorrectPage<'page> {
    frame: &'page Frame,
    reference: String,
    kind: String,
    answer: String,
    action: String,
    evidence_action: String,
    evidence: &'page str,
    back: String,
    request_id: String,
    etag: String,
    year: String,
    hijri_year: String,
    birth_date: String,
    clue: pb::ActClue,
    names: Vec<NameFields>,
    errors: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EvidenceQuery {
    evidence: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CorrectForm {
    request_id: String,
    etag: String,
    evidence: String,
    number: String,
    year: String,
    part: String,
    hijri_year: String,
    birth_date: String,
    /// `person.given_latin` and so on.
    #[serde(flatten)]
    names: BTreeMap<String, String>,
}

pub(super) fn router() -> Router<App> {
    let evidence = Router::new()
        .route("/orders/{order_id}/lines/{line_id}/evidence", post(attach))
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .route(
            "/orders/{order_id}/lines/{line_id}/correction",
            get(ask_correction).post(correct),
        )
        .merge(evidence)
}

async fn ask_correction(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path((order_id, line_id)): Path<(String, String)>,
    Query(query): Query<EvidenceQuery>,
) -> Result<Response, Problem> {
    if let Err(answer) = signed_in(&frame, &standing) {
        return *answer;
    }
    let order = order(&app, order_id).await?;
    let line = line_of(&order, &line_id)?;
    if line.state() != pb::LineState::ToCorrect {
        return Ok(see_other(&order_page(&order.order_id)));
    }
    let clue = line.act.clone().unwrap_or_default();
    let typed = Typed {
        year: positive(clue.year),
        hijri_year: positive(clue.hijri_year),
        birth_date: clue.birth_date.map(written).unwrap_or_default(),
        evidence: query.evidence,
        clue,
    };
    show_correction(&app, &frame, &order, &line_id, typed, None).await
}

/// What stands in the form, as it was typed.
struct Typed {
    clue: pb::ActClue,
    year: String,
    hijri_year: String,
    birth_date: String,
    evidence: String,
}

fn positive(year: i32) -> String {
    if year > 0 { year.to_string() } else { String::new() }
}

fn written(date: Date) -> String {
    let shown: PartialDate = date.show();
    serde_json::to_value(shown)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn name_fields(
    frame: &Frame,
    of: &'static str,
    legend: &'static str,
    name: Option<&pb::FullName>,
) -> NameFields {
    let name = name.cloned().unwrap_or_default();
    let field = |part: &str, label: &'static str, value: String| NameField {
        name: format!("{of}.{part}"),
        label: text(frame.language, label),
        value,
    };
    NameFields {
        legend: text(frame.language, legend),
        fields: [
            field("given_latin", "change.given_latin", name.given_latin),
            field("family_latin", "change.family_latin", name.family_latin),
            field("given_arabic", "change.given_arabic", name.given_arabic),
            field("family_arabic", "change.family_arabic", name.family_arabic),
        ],
    }
}

async fn show_correction(
    app: &App,
    frame: &Frame,
    order: &pb::Order,
    line_id: &str,
    typed: Typed,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let line = line_of(order, line_id)?;
    let names = Names::read(app, frame.language).await;
    let answer = line.answer.clone().unwrap_or_default();
    let base = format!("/orders/{}/lines/{}", order.order_id, line.line_id);
    let errors = problem.as_ref().map(|problem| {
        let errors = problem.errors.iter();
        let fields: Vec<String> = errors
            .map(|error| fault(frame, &error.pointer, &error.reason))
            .collect();
        if fields.is_empty() {
            vec![said(frame, &problem.reason)]
        } else {
            fields
        }
    });
    let clue = typed.clue;
    let shown = CorrectPage {
        reference: line.line_reference.clone(),
        kind: names.kind(&line.document_kind),
        answer: format!("{} {}", names.reason(&answer.reason_code), answer.text)
            .trim()
            .to_owned(),
        action: format!("{base}/correction"),
        evidence_action: format!("{base}/evidence?kind={}", evidence_kind(line.relation())),
        evidence: &typed.evidence,
        back: order_page(&order.order_id),
        request_id: app.ambient.uuid_v7().to_string(),
        etag: order.etag.clone(),
        year: typed.year,
        hijri_year: typed.hijri_year,
        birth_date: typed.birth_date,
        names: vec![
            name_fields(frame, "person", "change.person", clue.person.as_ref()),
            name_fields(frame, "father", "change.father", clue.father.as_ref()),
            name_fields(frame, "mother", "change.mother", clue.mother.as_ref()),
        ],
        clue,
        errors: errors.unwrap_or_default(),
        frame,
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.status);
    Ok(page(frame, status, &shown))
}

/// Keys of the labels of what is corrected, by their names in faults.
const LABELS: [(&str, &str); 13] = [
    ("number", "change.number"),
    ("year", "change.year"),
    ("part", "change.part"),
    ("hijri_year", "change.hijri_year"),
    ("birth_date", "change.birth_date"),
    ("evidence_ids", "change.evidence_title"),
    ("person", "change.person"),
    ("father", "change.father"),
    ("mother", "change.mother"),
    ("given_latin", "change.given_latin"),
    ("family_latin", "change.family_latin"),
    ("given_arabic", "change.given_arabic"),
    ("family_arabic", "change.family_arabic"),
];

/// What is wrong, after the labels of the field that it is wrong with; `field` is a JSON pointer.
fn fault(frame: &Frame, field: &str, reason: &str) -> String {
    let reason = said(frame, reason);
    let known = field
        .split('/')
        .filter_map(|name| LABELS.iter().find(|(known, _)| *known == name));
    let labels: Vec<&str> = known.map(|(_, label)| text(frame.language, label)).collect();
    if labels.is_empty() {
        return reason;
    }
    text(frame.language, "address.fault")
        .replace("{field}", &labels.join(" · "))
        .replace("{reason}", &reason)
}

/// What usually shows a relation.
fn evidence_kind(relation: pb::Relation) -> &'static str {
    use pb::Relation as R;
    match relation {
        R::Mandataire => "power-of-attorney",
        R::Guardian => "guardianship",
        R::Parent | R::Child | R::Spouse => "family-booklet",
        R::Oneself | R::Unspecified => "identity-document",
    }
}

fn name_typed(form: &CorrectForm, of: &str) -> Option<pb::FullName> {
    let part = |part: &str| {
        let typed = form.names.get(&format!("{of}.{part}"));
        typed.map(|typed| typed.trim().to_owned()).unwrap_or_default()
    };
    let name = pb::FullName {
        given_latin: part("given_latin"),
        family_latin: part("family_latin"),
        given_arabic: part("given_arabic"),
        family_arabic: part("family_arabic"),
    };
    (name != pb::FullName::default()).then_some(name)
}

/// A number that may be left out; none where it is no number.
fn year_typed(text: &str) -> Option<i32> {
    match text.trim() {
        "" => Some(0),
        text => text.parse().ok(),
    }
}

fn date_typed(text: &str) -> Option<Option<Date>> {
    match text.trim() {
        "" => Some(None),
        text => {
            let date: PartialDate = serde_json::from_value(text.into()).ok()?;
            Some(Some(date.tell()))
        }
    }
}

async fn correct(
    State(app): State<App>,
    frame: Frame,
    _: User,
    Path((order_id, line_id)): Path<(String, String)>,
    Form(form): Form<CorrectForm>,
) -> Result<Response, Problem> {
    let order = order(&app, order_id).await?;
    let line = line_of(&order, &line_id)?;
    if line.state() != pb::LineState::ToCorrect {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "CORRECTION_NOT_ASKED",
            "no correction of this line is asked for",
        ));
    }
    // Which office and register it is stands; the citizen says what is known of the act.
    let before = line.act.clone().unwrap_or_default();
    let (year, hijri_year, birth_date) = (
        year_typed(&form.year),
        year_typed(&form.hijri_year),
        date_typed(&form.birth_date),
    );
    let clue = pb::ActClue {
        year: year.unwrap_or_default(),
        part: form.part.trim().to_owned(),
        number: form.number.trim().to_owned(),
        hijri_year: hijri_year.unwrap_or_default(),
        birth_date: birth_date.flatten(),
        person: name_typed(&form, "person"),
        father: name_typed(&form, "father"),
        mother: name_typed(&form, "mother"),
        ..before
    };
    let typed = Typed {
        clue: clue.clone(),
        year: form.year,
        hijri_year: form.hijri_year,
        birth_date: form.birth_date,
        evidence: form.evidence.clone(),
    };
    let wrong = [
        ("/act/year", year.is_none()),
        ("/act/hijri_year", hijri_year.is_none()),
        ("/act/birth_date", birth_date.is_none()),
    ];
    let wrong = wrong.into_iter().filter(|(_, wrong)| *wrong);
    let mut problems =
        wrong.map(|(field, _)| Problem::field(field, "MALFORMED", "a number or date is malformed"));
    if let Some(mut problem) = problems.next() {
        problem.errors.extend(problems.flat_map(|other| other.errors));
        return show_correction(&app, &frame, &order, &line_id, typed, Some(problem)).await;
    }
    let request = pb::CorrectLineRequest {
        request_id: form.request_id,
        order_id: order.order_id.clone(),
        line_id: line_id.clone(),
        act: Some(clue),
        evidence_ids: Some(form.evidence)
            .filter(|id| !id.is_empty())
            .into_iter()
            .collect(),
        etag: form.etag,
    };
    match app.clients.orders().correct_line(request).await {
        Ok(_) => Ok(see_other(&order_page(&order.order_id))),
        Err(status) => {
            let problem = Problem::from(status);
            if !mendable(&problem) {
                return Err(problem);
            }
            show_correction(&app, &frame, &order, &line_id, typed, Some(problem)).await
        }
    }
}

#[derive(Deserialize)]
struct KindQuery {
    kind: String,
}

/// Keeps a file that shows the relation, and leads back to the form with it.
async fn attach(
    State(app): State<App>,
    user: User,
    Path((order_id, line_id)): Path<(String, String)>,
    Query(query): Query<KindQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let header = pb::EvidenceHeader {
        request_id: app.ambient.uuid_v7().to_string(),
        file_name: String::new(),
        kind: query.kind,
    };
    let kept = civil_status::keep_evidence(&app, &user, header, request).await?;
    let evidence = Uuid::parse_str(&kept.evidence_id).map(|id| id.to_string());
    Ok(see_other(&format!(
        "/orders/{}/lines/{}/correction?evidence={}",
        percent_encode(&order_id),
        percent_encode(&line_id),
        evidence.unwrap_or_default()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_not_known_and_what_is_malformed_is_said() {
        assert_eq!(year_typed(" "), Some(0));
        assert_eq!(year_typed(" 1990 "), Some(1990));
        assert_eq!(year_typed("199O"), None);
        assert_eq!(date_typed(""), Some(None));
        assert_eq!(date_typed("1990-13"), None);
        let may = date_typed("1990-05").unwrap().unwrap();
        assert_eq!((may.year, may.month, may.day), (1990, 5, 0));
        assert_eq!(written(may), "1990-05");
    }
}
