//! One field for whatever is scanned: a line's barcode records that its document was made, a parcel's number hands the
//! parcel over or shows where it is.

use askama::Template;
use axum::Router;
use axum::extract::{Form, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;

use super::{Desk, Workplace, is_tracking_number, plain, reason_text, said, staff, workplaces};
use crate::api::civil_status::text as status;
use crate::api::percent_encode;
use crate::api::tracking::state_word;
use crate::app::App;
use crate::language::text;
use crate::pages::order::{Names, act};
use crate::pages::{Frame, page};
use crate::problem::Problem;
use crate::session::{Standing, User};

/// Who may have signed.
struct Officer {
    person_id: String,
    name: String,
}

/// What became of a scan.
struct Outcome {
    class: &'static str,
    title: &'static str,
    code: String,
    facts: Vec<String>,
    links: Vec<(String, &'static str)>,
}

#[derive(Template)]
#[template(path = "office_scan.html")]
struct ScanPage<'page> {
    frame: &'page Frame,
    at: &'static str,
    places: &'page [Workplace],
    officers: Vec<Officer>,
    desk: &'page Desk,
    request_id: String,
    outcome: Option<Outcome>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ScanForm {
    request_id: String,
    office_id: String,
    officer_person_id: String,
    code: String,
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/office/scan", get(show).post(scan))
}

/// The officers of an office. Where the list is not for this person to see, they choose themselves, or whom an officer
/// chose at this desk before.
async fn officers(
    app: &App,
    frame: &Frame,
    user: &User,
    place: Option<&Workplace>,
    desk: &Desk,
) -> Vec<Officer> {
    let request = identity::ListMembershipsRequest {
        office_id: desk.office_id.clone(),
        page_size: 100,
        ..Default::default()
    };
    let listed = app.clients.organisation().list_memberships(request).await;
    let mut officers: Vec<Officer> = Vec::new();
    for member in listed
        .map(|answer| answer.into_inner().memberships)
        .unwrap_or_default()
    {
        let known = officers
            .iter()
            .any(|officer| officer.person_id == member.person_id);
        if member.role() == identity::OfficeRole::Officer && !known {
            officers.push(Officer {
                person_id: member.person_id,
                name: member.display_name,
            });
        }
    }
    let mut offer = |person_id: &str, key: &'static str| {
        let known = officers.iter().any(|officer| officer.person_id == person_id);
        if !known && !person_id.is_empty() {
            officers.push(Officer {
                person_id: person_id.to_owned(),
                name: text(frame.language, key).to_owned(),
            });
        }
    };
    if place.is_some_and(|place| place.officer) {
        offer(&user.person_id, "bureau.officer_self");
    }
    offer(&desk.officer_person_id, "bureau.officer_kept");
    officers
}

async fn show(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
    axum::Extension(standing): axum::Extension<Standing>,
) -> Result<Response, Problem> {
    let user = match staff(&frame, &standing) {
        Ok(user) => user,
        Err(answer) => return Ok(*answer),
    };
    shown(&app, &frame, &user, Desk::kept(&headers), None).await
}

async fn shown(
    app: &App,
    frame: &Frame,
    user: &User,
    mut desk: Desk,
    outcome: Option<(StatusCode, Outcome)>,
) -> Result<Response, Problem> {
    let places = workplaces(app, frame, user).await?;
    if !places.iter().any(|place| place.office_id == desk.office_id) {
        desk = Desk {
            office_id: places
                .first()
                .map(|place| place.office_id.clone())
                .unwrap_or_default(),
            officer_person_id: String::new(),
        };
    }
    let place = places.iter().find(|place| place.office_id == desk.office_id);
    let officers = officers(app, frame, user, place, &desk).await;
    if desk.officer_person_id.is_empty() && officers.len() == 1 {
        desk.officer_person_id.clone_from(&officers[0].person_id);
    }
    let (status, outcome) = outcome.map_or((StatusCode::OK, None), |(status, outcome)| {
        (status, Some(outcome))
    });
    let shown = ScanPage {
        at: "scan",
        officers,
        request_id: app.ambient.uuid_v7().to_string(),
        outcome,
        places: &places,
        desk: &desk,
        frame,
    };
    Ok(desk.keep(page(frame, status, &shown)))
}

async fn scan(
    State(app): State<App>,
    frame: Frame,
    user: User,
    Form(form): Form<ScanForm>,
) -> Result<Response, Problem> {
    let desk = Desk {
        office_id: form.office_id.clone(),
        officer_person_id: form.officer_person_id.clone(),
    };
    let code = plain(&form.code);
    let outcome = if code.is_empty() {
        // The choice of the desk alone was sent.
        None
    } else if is_tracking_number(&code) {
        Some(parcel(&app, &frame, &form, code).await?)
    } else {
        Some(production(&app, &frame, &form).await?)
    };
    shown(&app, &frame, &user, desk, outcome).await
}

fn failed(frame: &Frame, code: &str, problem: &Problem) -> (StatusCode, Outcome) {
    let later = problem.status.is_server_error() || problem.status == StatusCode::TOO_MANY_REQUESTS;
    let outcome = Outcome {
        class: if later { "doubtful" } else { "bad" },
        title: text(
            frame.language,
            if later {
                "bureau.scan_later"
            } else {
                "bureau.scan_refused"
            },
        ),
        code: code.to_owned(),
        facts: vec![said(frame, problem)],
        links: Vec::new(),
    };
    (problem.status, outcome)
}

/// A line's barcode: its document was made by hand.
async fn production(app: &App, frame: &Frame, form: &ScanForm) -> Result<(StatusCode, Outcome), Problem> {
    if form.officer_person_id.is_empty() {
        let problem = Problem::new(
            StatusCode::BAD_REQUEST,
            "OFFICER_NOT_CHOSEN",
            "choose the officer who signs",
        );
        return Ok(failed(frame, form.code.trim(), &problem));
    }
    let request = pb::RecordProductionRequest {
        request_id: form.request_id.clone(),
        line_reference: form.code.trim().to_owned(),
        officer_person_id: form.officer_person_id.clone(),
        looked_by_person_id: String::new(),
    };
    let answer = match app.clients.order_office().record_production(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return unless_signed_out(frame, form.code.trim(), status.into()),
    };
    let line = answer.entry.and_then(|entry| entry.line).unwrap_or_default();
    let names = Names::read(app, frame.language).await;
    let mut facts = vec![
        names.kind(&line.document_kind),
        act(frame.language, line.act.as_ref()),
    ];
    let mut links = vec![(
        format!("/office/lines/{}", percent_encode(&line.line_id)),
        text(frame.language, "bureau.show_line"),
    )];
    match &answer.parcel {
        Some(parcel) => {
            facts.push(text(frame.language, "bureau.parcel_complete").to_owned());
            facts.push(parcel.tracking_number.clone());
            let address = format!(
                "/office/hand-over?office_id={}",
                percent_encode(&parcel.office_id)
            );
            links.push((address, text(frame.language, "bureau.hand_over")));
        }
        None => facts.push(text(frame.language, "bureau.parcel_waits").to_owned()),
    }
    if answer.offer_keying {
        facts.push(text(frame.language, "bureau.offer_keying").to_owned());
    }
    facts.retain(|fact| !fact.is_empty());
    let outcome = Outcome {
        class: "good",
        title: text(frame.language, "bureau.scan_produced"),
        code: line.line_reference,
        facts,
        links,
    };
    Ok((StatusCode::OK, outcome))
}

/// What went wrong stays on the page, so that the next scan goes on; whoever is signed out must sign in.
fn unless_signed_out(frame: &Frame, code: &str, problem: Problem) -> Result<(StatusCode, Outcome), Problem> {
    if problem.status == StatusCode::UNAUTHORIZED {
        return Err(problem);
    }
    Ok(failed(frame, code, &problem))
}

/// A parcel's number: it is handed over where it waits, or shown.
async fn parcel(
    app: &App,
    frame: &Frame,
    form: &ScanForm,
    number: String,
) -> Result<(StatusCode, Outcome), Problem> {
    let request = pb::HandOverParcelsRequest {
        request_id: form.request_id.clone(),
        office_id: form.office_id.clone(),
        tracking_numbers: vec![number.clone()],
    };
    let answer = match app.clients.order_office().hand_over_parcels(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return unless_signed_out(frame, &number, status.into()),
    };
    if let Some(problem) = answer.problems.first() {
        return Ok(stands(app, frame, number, &problem.reason).await);
    }
    let mut links = Vec::new();
    if !answer.deposit_list_id.is_empty() {
        let address = format!(
            "/office/deposit-lists/{}/file",
            percent_encode(&answer.deposit_list_id)
        );
        links.push((address, text(frame.language, "bureau.deposit_list")));
    }
    let facts = answer
        .parcels
        .first()
        .map(|parcel| status::parcel(frame.language, parcel));
    let outcome = Outcome {
        class: "good",
        title: text(frame.language, "bureau.scan_handed_over"),
        code: number,
        facts: facts.into_iter().collect(),
        links,
    };
    Ok((StatusCode::OK, outcome))
}

/// Why a parcel was not handed over, and where it is.
async fn stands(app: &App, frame: &Frame, number: String, reason: &str) -> (StatusCode, Outcome) {
    let why = reason_text(frame, [reason]);
    let request = postal::TrackRequest {
        tracking_id: number.clone(),
    };
    let tracked = app.clients.tracking().track(request).await.ok();
    let place = tracked.map(|answer| {
        let answer = answer.into_inner();
        status::shipment(frame.language, state_word(answer.state()), answer.held_until)
    });
    let already = reason == "ALREADY_HANDED_OVER";
    let title = if already {
        "bureau.scan_parcel"
    } else {
        "bureau.scan_refused"
    };
    let outcome = Outcome {
        class: if already { "doubtful" } else { "bad" },
        title: text(frame.language, title),
        code: number,
        facts: why.into_iter().chain(place).collect(),
        links: Vec::new(),
    };
    let status = if already {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    (status, outcome)
}
