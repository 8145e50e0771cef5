//! Parcels that wait for the post: their labels, and handing them over in one go, those that were scanned where some were.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::tray::{MOST, Tray};
use super::{Desk, Workplace, plain, reason_text, said, staff, workplaces};
use crate::api::civil_status::text as status;
use crate::api::{percent_encode, shipments};
use crate::app::App;
use crate::json::Query;
use crate::pages::{Frame, page};
use crate::problem::Problem;
use crate::session::{Standing, User};

/// Pages of waiting parcels that are read at most, of 100 each.
const PAGES: usize = 20;

struct ParcelRow {
    number: String,
    status: String,
    documents: usize,
    label: Option<String>,
    checked: bool,
}

/// What became of a hand-over.
struct Done {
    numbers: Vec<String>,
    refused: Vec<(String, String)>,
    list: Option<String>,
}

#[derive(Template)]
#[template(path = "office_hand_over.html")]
struct HandOverPage<'page> {
    frame: &'page Frame,
    at: &'static str,
    places: &'page [Workplace],
    office_id: &'page str,
    rows: Vec<ParcelRow>,
    /// More wait than can be handed over at once.
    cut: bool,
    tray: &'page Tray,
    /// Scanned, and not among what waits here.
    strangers: Vec<String>,
    labels: Option<String>,
    request_id: String,
    done: Option<Done>,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Which {
    office_id: String,
    tray: String,
    /// The next number for the tray.
    scanned: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labels {
    office_id: String,
    shipment_ids: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListForm {
    form: String,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/office/hand-over", get(show).post(hand_over))
        .route("/office/labels", get(labels))
        .route("/office/deposit-lists/{deposit_list_id}/file", get(deposit_list))
}

async fn show(
    State(app): State<App>,
    frame: Frame,
    headers: HeaderMap,
    axum::Extension(standing): axum::Extension<Standing>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let user = match staff(&frame, &standing) {
        Ok(user) => user,
        Err(answer) => return Ok(*answer),
    };
    let kept = Desk::kept(&headers).office_id;
    let office_id = if which.office_id.is_empty() {
        kept
    } else {
        which.office_id
    };
    let mut tray = Tray::read(&which.tray);
    let scanned = plain(&which.scanned);
    let problem = (!scanned.is_empty() && !tray.add(scanned)).then(|| {
        let what = "this is no number of a parcel";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "BARCODE_UNKNOWN", what)
    });
    let at = At {
        office_id,
        tray,
        done: None,
        problem,
    };
    shown(&app, &frame, &user, at).await
}

/// What the page is to show.
struct At {
    office_id: String,
    tray: Tray,
    done: Option<Done>,
    problem: Option<Problem>,
}

/// The parcels of an office that wait, and whether there are still more.
async fn waiting(app: &App, office_id: &str) -> Result<(Vec<pb::Parcel>, bool), Problem> {
    let (mut parcels, mut page_token) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let request = pb::ListParcelsRequest {
            office_id: office_id.to_owned(),
            page_size: 100,
            page_token,
            waiting_only: true,
        };
        let answer = app
            .clients
            .order_office()
            .list_parcels(request)
            .await?
            .into_inner();
        parcels.extend(answer.parcels);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok((parcels, false));
        }
    }
    Ok((parcels, true))
}

async fn shown(app: &App, frame: &Frame, user: &User, at: At) -> Result<Response, Problem> {
    let At {
        mut office_id,
        tray,
        done,
        problem,
    } = at;
    let places = workplaces(app, frame, user).await?;
    if !places.iter().any(|place| place.office_id == office_id) {
        office_id = places
            .first()
            .map(|place| place.office_id.clone())
            .unwrap_or_default();
    }
    let (mut parcels, more) = waiting(app, &office_id).await?;
    let waits = |number: &str| parcels.iter().any(|parcel| parcel.tracking_number == number);
    let strangers: Vec<String> = tray
        .numbers()
        .filter(|number| !waits(number))
        .map(str::to_owned)
        .collect();
    // What lies on the table comes first.
    parcels.sort_by_key(|parcel| !tray.contains(&parcel.tracking_number));
    let cut = more || parcels.len() > MOST;
    parcels.truncate(MOST);
    let print = |ids: &str| {
        format!(
            "/office/labels?office_id={}&shipment_ids={ids}",
            percent_encode(&office_id)
        )
    };
    let shipment_ids: Vec<&str> = parcels
        .iter()
        .map(|parcel| parcel.shipment_id.as_str())
        .filter(|id| !id.is_empty())
        .collect();
    let row = |parcel: &pb::Parcel| ParcelRow {
        number: parcel.tracking_number.clone(),
        status: status::parcel(frame.language, parcel),
        documents: parcel.line_ids.len(),
        label: (!parcel.shipment_id.is_empty()).then(|| print(&percent_encode(&parcel.shipment_id))),
        checked: tray.is_empty() || tray.contains(&parcel.tracking_number),
    };
    let shown = HandOverPage {
        at: "hand_over",
        rows: parcels.iter().map(row).collect(),
        cut,
        tray: &tray,
        strangers,
        labels: (!shipment_ids.is_empty()).then(|| print(&percent_encode(&shipment_ids.join(",")))),
        request_id: app.ambient.uuid_v7().to_string(),
        done,
        error: problem.as_ref().map(|problem| said(frame, problem)),
        places: &places,
        office_id: &office_id,
        frame,
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.status);
    Ok(page(frame, status, &shown))
}

async fn hand_over(
    State(app): State<App>,
    frame: Frame,
    user: User,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let of = |name: &'static str| {
        let fields = fields.iter().filter(move |(field, _)| field == name);
        fields.map(|(_, value)| value.as_str())
    };
    let office_id = of("office_id").next().unwrap_or_default().to_owned();
    let mut numbers: Vec<String> = Vec::new();
    for number in of("number").map(plain) {
        if !number.is_empty() && !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    let request = pb::HandOverParcelsRequest {
        request_id: of("request_id").next().unwrap_or_default().to_owned(),
        office_id: office_id.clone(),
        tracking_numbers: numbers.clone(),
    };
    let answer = match app.clients.order_office().hand_over_parcels(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            let problem = Problem::from(status);
            if problem.status == StatusCode::UNAUTHORIZED {
                return Err(problem);
            }
            let at = At {
                office_id,
                tray: Tray::read(&numbers.join(",")),
                done: None,
                problem: Some(problem),
            };
            return shown(&app, &frame, &user, at).await;
        }
    };
    let refused = |problem: pb::ParcelProblem| {
        let why = reason_text(&frame, [problem.reason.as_str()]).unwrap_or(problem.description);
        (problem.tracking_number, why)
    };
    let done = Done {
        numbers: answer
            .parcels
            .into_iter()
            .map(|parcel| parcel.tracking_number)
            .collect(),
        refused: answer.problems.into_iter().map(refused).collect(),
        list: Some(answer.deposit_list_id)
            .filter(|id| !id.is_empty())
            .map(|id| format!("/office/deposit-lists/{}/file", percent_encode(&id))),
    };
    let at = At {
        office_id,
        tray: Tray::default(),
        done: Some(done),
        problem: None,
    };
    shown(&app, &frame, &user, at).await
}

async fn labels(State(app): State<App>, _: User, Query(query): Query<Labels>) -> Result<Response, Problem> {
    let ids = query.shipment_ids.split(',').filter(|id| !id.is_empty());
    shipments::labels(&app, query.office_id, ids.map(str::to_owned).collect()).await
}

async fn deposit_list(
    State(app): State<App>,
    _: User,
    Path(deposit_list_id): Path<String>,
    Query(query): Query<ListForm>,
) -> Result<Response, Problem> {
    shipments::deposit_list(&app, deposit_list_id, query.form == "csv").await
}
