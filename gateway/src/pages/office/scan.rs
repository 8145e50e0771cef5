//! One field for whatever is scanned: a line's barcode records that its document was made, a parcel's number shows where the
//! parcel is and puts it with those to hand over where it waits.

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

use super::tray::Tray;
use super::{Desk, Workplace, is_tracking_number, plain, said, staff, workplaces};
use crate::api::civil_status::text as status;
use crate::api::percent_encode;
use crate::api::tracking::state_word;
use crate::app::App;
use crate::language::text;
use crate::pages::order::{Names, act};
use crate::pages::{Frame, page};
use crate::problem::Problem;
use crate::session::{Standing, User};

/// Pages of an office's members that are read at most, of 100 each.
const MEMBER_PAGES: usize = 20;

/// Somebody of the office.
struct Member {
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
    /// Who may have signed.
    officers: Vec<Member>,
    /// Who may have looked in the register, beside whoever scans.
    lookers: Vec<Member>,
    looked_by: &'page str,
    desk: &'page Desk,
    tray: &'page Tray,
    request_id: String,
    outcome: Option<Outcome>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ScanForm {
    request_id: String,
    office_id: String,
    officer_person_id: String,
    /// Who looked in the register; whoever scans where empty.
    looked_by_person_id: String,
    /// What was scanned to be handed over.
    tray: String,
    code: String,
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/office/scan", get(show).post(scan))
}

/// The memberships of an office; none where the list is not for this person to see.
async fn memberships(app: &App, office_id: &str) -> Vec<identity::Membership> {
    let mut found: Vec<identity::Membership> = Vec::new();
    let mut page_token = String::new();
    for _ in 0..MEMBER_PAGES {
        let request = identity::ListMembershipsRequest {
            office_id: office_id.to_owned(),
            page_size: 100,
            page_token,
        };
        let Ok(answer) = app.clients.organisation().list_memberships(request).await else {
            return found;
        };
        let answer = answer.into_inner();
        found.extend(answer.memberships);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    found
}

/// Each person once who holds one of the roles.
fn with_role(memberships: &[identity::Membership], roles: &[identity::OfficeRole]) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for membership in memberships.iter().filter(|one| roles.contains(&one.role())) {
        if !members
            .iter()
            .any(|known| known.person_id == membership.person_id)
        {
            members.push(Member {
                person_id: membership.person_id.clone(),
                name: membership.display_name.clone(),
            });
        }
    }
    members
}

/// The officers among the members. Where these are not known, people choose themselves, or whom an officer chose at this
/// desk before.
fn officers(
    frame: &Frame,
    user: &User,
    place: Option<&Workplace>,
    desk: &Desk,
    memberships: &[identity::Membership],
) -> Vec<Member> {
    let mut officers = with_role(memberships, &[identity::OfficeRole::Officer]);
    let mut offer = |person_id: &str, key: &'static str| {
        let known = officers.iter().any(|officer| officer.person_id == person_id);
        if !known && !person_id.is_empty() {
            officers.push(Member {
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
    let at = At {
        desk: Desk::kept(&headers),
        ..At::default()
    };
    shown(&app, &frame, &user, at, None).await
}

/// Where a desk stands between two scans.
#[derive(Default)]
struct At {
    desk: Desk,
    looked_by: String,
    tray: Tray,
}

async fn shown(
    app: &App,
    frame: &Frame,
    user: &User,
    at: At,
    outcome: Option<(StatusCode, Outcome)>,
) -> Result<Response, Problem> {
    let At {
        mut desk,
        looked_by,
        tray,
    } = at;
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
    let memberships = memberships(app, &desk.office_id).await;
    let officers = officers(frame, user, place, &desk, &memberships);
    let roles = [identity::OfficeRole::Agent, identity::OfficeRole::Officer];
    let mut lookers = with_role(&memberships, &roles);
    lookers.retain(|member| member.person_id != user.person_id);
    if desk.officer_person_id.is_empty() && officers.len() == 1 {
        desk.officer_person_id.clone_from(&officers[0].person_id);
    }
    let (status, outcome) = outcome.map_or((StatusCode::OK, None), |(status, outcome)| {
        (status, Some(outcome))
    });
    let shown = ScanPage {
        at: "scan",
        officers,
        lookers,
        looked_by: &looked_by,
        tray: &tray,
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
    let mut tray = Tray::read(&form.tray);
    let outcome = if code.is_empty() {
        // The choice of the desk alone was sent.
        None
    } else if is_tracking_number(&code) {
        Some(parcel(&app, &frame, &mut tray, code).await?)
    } else {
        Some(production(&app, &frame, &form).await?)
    };
    let at = At {
        desk,
        looked_by: form.looked_by_person_id,
        tray,
    };
    shown(&app, &frame, &user, at, outcome).await
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
        looked_by_person_id: form.looked_by_person_id.clone(),
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

/// A parcel's number: nothing is posted. Where it waits it comes with those to hand over, which is confirmed there for all at once.
async fn parcel(
    app: &App,
    frame: &Frame,
    tray: &mut Tray,
    number: String,
) -> Result<(StatusCode, Outcome), Problem> {
    let request = postal::TrackRequest {
        tracking_id: number.clone(),
    };
    let answer = match app.clients.tracking().track(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return unless_signed_out(frame, &number, unknown(status.into())),
    };
    let place = status::shipment(frame.language, state_word(answer.state()), answer.held_until);
    let waits = answer.state() == postal::ShipmentState::LabelPrinted;
    if waits {
        tray.add(number.clone());
    }
    let outcome = Outcome {
        class: if waits { "good" } else { "doubtful" },
        title: text(
            frame.language,
            if waits {
                "bureau.scan_waits"
            } else {
                "bureau.scan_parcel"
            },
        ),
        code: number,
        facts: vec![place],
        links: Vec::new(),
    };
    Ok((StatusCode::OK, outcome))
}

/// A number that the post does not know is said as any barcode is.
fn unknown(problem: Problem) -> Problem {
    if problem.status != StatusCode::NOT_FOUND {
        return problem;
    }
    Problem::new(
        StatusCode::NOT_FOUND,
        "BARCODE_UNKNOWN",
        "no parcel has this number",
    )
}
