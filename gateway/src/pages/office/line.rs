//! One line with all that is needed to work on it.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::queue::{Row, row};
use super::{said, staff};
use crate::api::civil_status::text as status;
use crate::api::{self, order_office, percent_encode};
use crate::app::App;
use crate::language::{find, text};
use crate::pages::order::{Names, full_name, pick};
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User};

struct EvidenceRow {
    address: String,
    name: String,
    kind: String,
}

struct Candidate {
    act_id: String,
    name: String,
    number: String,
    birth: String,
    chosen: bool,
    /// What of it differs from the order, in the reader's language.
    differences: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "office_line.html")]
struct LinePage<'page> {
    frame: &'page Frame,
    at: &'static str,
    row: Row,
    line_id: String,
    office_id: String,
    /// What the work waits for; the citizen's side of it is left to their page.
    status: Option<&'static str>,
    applicant: String,
    addressee: String,
    relation: &'static str,
    /// How the relation is known.
    known: &'static str,
    /// Somebody has to check it before anything is made.
    to_check: bool,
    copies: i32,
    evidence: Vec<EvidenceRow>,
    candidates: Vec<Candidate>,
    request_id: String,
    /// The office may still ask the citizen, or refuse.
    open: bool,
    waits: bool,
    /// It stands on a batch sheet, and can go back to the queue.
    taken: bool,
    digitised: bool,
    has_document: bool,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ActionForm {
    request_id: String,
    act_id: String,
    /// What was seen, or why it is the act although it differs.
    note: String,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/office/lines/{line}", get(show))
        .route("/office/lines/{line_id}/document", get(document))
        .route("/office/lines/{line_id}/evidence/{evidence_id}", get(evidence))
        .route("/office/lines/{line_id}/assignment", post(assign))
        .route("/office/lines/{line_id}/release", post(release))
        .route("/office/lines/{line_id}/act", post(link))
        .route("/office/lines/{line_id}/entitlement", post(check))
        .route("/office/lines/{line_id}/preparation", post(prepare))
}

fn relation_key(relation: pb::Relation) -> &'static str {
    use pb::Relation as R;
    match relation {
        R::Oneself => "relation.oneself",
        R::Parent => "relation.parent",
        R::Child => "relation.child",
        R::Spouse => "relation.spouse",
        R::Guardian => "relation.guardian",
        R::Mandataire => "relation.mandataire",
        R::Unspecified => "relation.unknown",
    }
}

fn proof_key(proof: pb::EntitlementProof) -> &'static str {
    use pb::EntitlementProof as P;
    match proof {
        P::Declared | P::Unspecified => "bureau.known_declared",
        P::Acts => "bureau.known_acts",
        P::Evidence => "bureau.known_evidence",
        P::Checked => "bureau.known_checked",
    }
}

fn difference_key(field: &str) -> Option<&'static str> {
    Some(match field {
        "given_name" => "bureau.differs_given_name",
        "family_name" => "bureau.differs_family_name",
        "birth_date" => "bureau.differs_birth_date",
        "death_date" => "bureau.differs_death_date",
        "father_name" => "bureau.differs_father_name",
        "mother_name" => "bureau.differs_mother_name",
        "applicant_name" => "bureau.differs_applicant_name",
        "applicant_birth_date" => "bureau.differs_applicant_birth_date",
        _ => return None,
    })
}

async fn show(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path(line): Path<String>,
) -> Result<Response, Problem> {
    match staff(&frame, &standing) {
        Ok(user) => shown(&app, &frame, &user, line, None).await,
        Err(answer) => Ok(*answer),
    }
}

/// The page, with what could not be done.
async fn shown(
    app: &App,
    frame: &Frame,
    user: &User,
    line: String,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let key = Some(order_office::line_key(line));
    let answer = app
        .clients
        .order_office()
        .get_line(pb::GetLineRequest { key })
        .await?
        .into_inner();
    let entry = api::filled(answer.entry)?;
    let line = api::filled(entry.line.clone())?;
    let names = Names::read(app, frame.language).await;
    let evidence = answer.evidence.into_iter().map(|piece| EvidenceRow {
        address: format!(
            "/office/lines/{}/evidence/{}",
            percent_encode(&line.line_id),
            percent_encode(&piece.evidence_id)
        ),
        name: piece.file_name,
        kind: find(frame.language, &format!("evidence_kind.{}", piece.kind))
            .unwrap_or(&piece.kind)
            .to_owned(),
    });
    let candidates = answer
        .candidates
        .iter()
        .map(|act| candidate(frame, act, &entry.act_id));
    let shown = LinePage {
        at: "queue",
        row: row(frame, &names, &user.person_id, &entry),
        status: status::at_office(frame.language, &line),
        applicant: full_name(frame.language, answer.applicant.as_ref()),
        addressee: full_name(frame.language, answer.addressee.as_ref()),
        relation: text(frame.language, relation_key(line.relation())),
        known: text(frame.language, proof_key(line.entitlement_proof())),
        to_check: !matches!(
            line.entitlement_proof(),
            pb::EntitlementProof::Acts | pb::EntitlementProof::Checked
        ),
        copies: line.copies,
        evidence: evidence.collect(),
        candidates: candidates.collect(),
        request_id: app.ambient.uuid_v7().to_string(),
        open: matches!(line.state(), pb::LineState::Paid | pb::LineState::InProduction),
        waits: line.state() == pb::LineState::Paid,
        taken: line.state() == pb::LineState::InProduction && entry.path == "PAPER",
        digitised: !entry.act_id.is_empty(),
        has_document: line.document_available
            || line.state() == pb::LineState::InProduction && entry.path == "DIGITISED",
        error: problem.as_ref().map(|problem| said(frame, problem)),
        line_id: line.line_id,
        office_id: line.office_id,
        frame,
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.status);
    Ok(page(frame, status, &shown))
}

fn candidate(frame: &Frame, act: &pb::ActSummary, chosen: &str) -> Candidate {
    let word = |text: Option<&pb::BilingualText>| {
        text.map(|text| {
            let written = pick(frame.language, &text.arabic, &text.latin, &text.latin);
            if written.is_empty() {
                format!("{}{}", text.arabic, text.latin)
            } else {
                written
            }
        })
        .unwrap_or_default()
    };
    let name = format!(
        "{} {}",
        word(act.given_name.as_ref()),
        word(act.family_name.as_ref())
    );
    let number = act.key.as_ref().map(|key| format!("{}/{}", key.number, key.year));
    Candidate {
        act_id: act.act_id.clone(),
        name: name.trim().to_owned(),
        number: number.unwrap_or_default(),
        birth: act.birth_date.map(status::civil).unwrap_or_default(),
        chosen: act.act_id == chosen,
        differences: act
            .differences
            .iter()
            .filter_map(|field| difference_key(field))
            .map(|key| text(frame.language, key))
            .collect(),
    }
}

async fn document(State(app): State<App>, _: User, Path(line_id): Path<String>) -> Result<Response, Problem> {
    order_office::production::line_document(&app, line_id).await
}

async fn evidence(
    State(app): State<App>,
    _: User,
    Path((line_id, evidence_id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    order_office::evidence(&app, line_id, evidence_id).await
}

/// Back to the line, or the line with what could not be done.
async fn done(
    app: &App,
    frame: Frame,
    user: &User,
    line_id: String,
    answer: Result<(), tonic::Status>,
) -> Result<Response, Problem> {
    let address = format!("/office/lines/{}", percent_encode(&line_id));
    match answer {
        Ok(()) => Ok(see_other(&address).into_response()),
        Err(status) => {
            let problem = Problem::from(status);
            if problem.status == StatusCode::NOT_FOUND {
                return Err(problem);
            }
            shown(app, &frame.at(&address), user, line_id, Some(problem)).await
        }
    }
}

async fn assign(
    State(app): State<App>,
    frame: Frame,
    user: User,
    Path(line_id): Path<String>,
    Form(form): Form<ActionForm>,
) -> Result<Response, Problem> {
    let request = pb::AssignLinesRequest {
        request_id: form.request_id,
        line_ids: vec![line_id.clone()],
        person_id: user.person_id.clone(),
    };
    let answer = app.clients.order_office().assign_lines(request).await.map(drop);
    done(&app, frame, &user, line_id, answer).await
}

/// The line may go to another office with its register: the queue follows.
async fn release(
    State(app): State<App>,
    frame: Frame,
    user: User,
    Path(line_id): Path<String>,
    Form(form): Form<ActionForm>,
) -> Result<Response, Problem> {
    let request = pb::ReleaseLineRequest {
        request_id: form.request_id,
        line_id: line_id.clone(),
    };
    match app.clients.order_office().release_line(request).await {
        Ok(_) => Ok(see_other("/office").into_response()),
        Err(status) => done(&app, frame, &user, line_id, Err(status)).await,
    }
}

async fn link(
    State(app): State<App>,
    frame: Frame,
    user: User,
    Path(line_id): Path<String>,
    Form(form): Form<ActionForm>,
) -> Result<Response, Problem> {
    let request = pb::LinkActRequest {
        request_id: form.request_id,
        line_id: line_id.clone(),
        act_id: form.act_id,
        confirms_differences: !form.note.trim().is_empty(),
        note: form.note.trim().to_owned(),
    };
    let answer = app.clients.order_office().link_act(request).await.map(drop);
    done(&app, frame, &user, line_id, answer).await
}

async fn check(
    State(app): State<App>,
    frame: Frame,
    user: User,
    Path(line_id): Path<String>,
    Form(form): Form<ActionForm>,
) -> Result<Response, Problem> {
    let request = pb::CheckEntitlementRequest {
        request_id: form.request_id,
        line_id: line_id.clone(),
        note: form.note,
    };
    let answer = app
        .clients
        .order_office()
        .check_entitlement(request)
        .await
        .map(drop);
    done(&app, frame, &user, line_id, answer).await
}

async fn prepare(
    State(app): State<App>,
    frame: Frame,
    user: User,
    Path(line_id): Path<String>,
    Form(form): Form<ActionForm>,
) -> Result<Response, Problem> {
    let request = pb::PrepareDocumentsRequest {
        request_id: form.request_id,
        line_ids: vec![line_id.clone()],
    };
    let answer = app.clients.order_office().prepare_documents(request).await;
    let problem = match answer {
        Ok(answer) => answer.into_inner().problems.into_iter().next(),
        Err(status) => return done(&app, frame, &user, line_id, Err(status)).await,
    };
    let Some(problem) = problem else {
        return done(&app, frame, &user, line_id, Ok(())).await;
    };
    let problem = Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        &problem.reason,
        problem.description,
    );
    let frame = frame.at(&format!("/office/lines/{}", percent_encode(&line_id)));
    shown(&app, &frame, &user, line_id, Some(problem)).await
}
