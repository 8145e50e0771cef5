//! The signed-in person's page: their requests with what happens next, the sealed files, and their sessions.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use wathiq_proto::wathiq::civil_registry_order::v1 as civil;
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api;
use crate::api::civil_status::text::order_name_key;
use crate::api::transfer::download::{self, Asked, Disposition, File};
use crate::app::App;
use crate::language::{Language, text};
use crate::pages::facts::{kind_name, time};
use crate::pages::link::{Offer, newest, offer};
use crate::pages::sign_in::{address, end};
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User};

struct RequestCard {
    kind: String,
    created: String,
    receipt: String,
    state: &'static str,
    status: String,
    refusal: Option<String>,
    /// Where it is paid for.
    payment: Option<String>,
    offers: Vec<Offer>,
    verification: Option<String>,
}

/// An order of civil-status documents.
struct OrderRow {
    address: String,
    reference: String,
    state: &'static str,
    created: String,
}

struct SessionRow {
    session_id: String,
    device: String,
    last_use: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'page> {
    frame: &'page Frame,
    name: String,
    proved: bool,
    requests: Vec<RequestCard>,
    /// None where they cannot be asked for at this moment.
    orders: Option<Vec<OrderRow>>,
    sessions: Vec<SessionRow>,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/account", get(show))
        .route("/account/files/{legalisation_request_id}/{kind}", get(fetch))
        .route("/account/sessions/{session_id}/end", post(end_session))
}

/// A signed-out person signs in first and comes back.
fn sign_in_first(frame: &Frame) -> Response {
    see_other(&address(&frame.path))
}

async fn show(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
) -> Result<Response, Problem> {
    match standing {
        Standing::Live(_) => {}
        Standing::Unknown(problem) | Standing::Limited(problem) => return Err(problem),
        Standing::None | Standing::Ended => return Ok(sign_in_first(&frame)),
    }
    let person = app
        .clients
        .accounts()
        .get_person(identity::GetPersonRequest {})
        .await?
        .into_inner();
    let person = api::filled(person.person)?;
    let listing = pb::ListLegalisationRequestsRequest {
        page_size: 50,
        ..Default::default()
    };
    let listed = app
        .clients
        .legalisations()
        .list_legalisation_requests(listing)
        .await;
    // A staff session holds no requests of its own; the service refuses it the list.
    let requests = match listed {
        Ok(answer) => answer.into_inner().legalisation_requests,
        Err(status) if status.code() == tonic::Code::PermissionDenied => Vec::new(),
        Err(status) => return Err(status.into()),
    };
    let mut cards = Vec::with_capacity(requests.len());
    for request in &requests {
        cards.push(card(&app, &frame, request).await);
    }
    let shown = AccountPage {
        name: name(frame.language, &person),
        proved: person.assurance() == identity::AssuranceLevel::Proved,
        requests: cards,
        orders: orders(&app, &frame).await,
        sessions: sessions(&app).await?,
        frame: &frame,
    };
    Ok(page(&frame, StatusCode::OK, &shown))
}

fn name(language: Language, person: &identity::Person) -> String {
    let arabic = matches!(language, Language::Arabic | Language::Tamazight);
    let name = if arabic {
        &person.name_arabic
    } else {
        &person.name_latin
    };
    name.as_ref()
        .map(|name| format!("{} {}", name.given, name.family))
        .unwrap_or_default()
}

async fn card(app: &App, frame: &Frame, request: &pb::LegalisationRequest) -> RequestCard {
    let base = format!("/account/files/{}", request.legalisation_request_id);
    let refused = request.state() == pb::LegalisationState::Refused;
    let awaits_payment = request.state() == pb::LegalisationState::AwaitingPayment;
    RequestCard {
        kind: kind_name(app, frame.language, &request.document_kind).await,
        created: time(request.create_time.as_ref()).unwrap_or_default(),
        receipt: request
            .receipt
            .as_ref()
            .map(|receipt| receipt.number.clone())
            .unwrap_or_default(),
        state: text(frame.language, api::state_name_key(request.state())),
        status: api::status_line(frame.language, request),
        refusal: request
            .refusal
            .as_ref()
            .filter(|_| refused)
            .map(|refusal| refusal.text.clone()),
        payment: (awaits_payment && !request.payable_id.is_empty())
            .then(|| format!("/payments/{}/start", api::percent_encode(&request.payable_id))),
        offers: newest(&request.files)
            .filter_map(|file| offer(frame, &base, file))
            .collect(),
        verification: (!request.verification_code.is_empty())
            .then(|| format!("/v/{}", api::percent_encode(&request.verification_code))),
    }
}

/// The person's newest orders. Only an account has a list of them.
async fn orders(app: &App, frame: &Frame) -> Option<Vec<OrderRow>> {
    let request = civil::ListOrdersRequest {
        page_size: 20,
        page_token: String::new(),
    };
    let orders = match app.clients.orders().list_orders(request).await {
        Ok(answer) => answer.into_inner().orders,
        Err(status) if status.code() == tonic::Code::PermissionDenied => Vec::new(),
        Err(_) => return None,
    };
    let row = |order: civil::Order| OrderRow {
        address: format!("/orders/{}", api::percent_encode(&order.reference)),
        state: text(frame.language, order_name_key(order.state())),
        created: time(order.create_time.as_ref()).unwrap_or_default(),
        reference: order.reference,
    };
    Some(orders.into_iter().map(row).collect())
}

async fn sessions(app: &App) -> Result<Vec<SessionRow>, Problem> {
    let request = identity::ListSessionsRequest {
        page_size: 50,
        page_token: String::new(),
    };
    let answer = match app.clients.sessions().list_sessions(request).await {
        Ok(answer) => answer.into_inner(),
        // Without an account there is no list of sessions.
        Err(status) if status.code() == tonic::Code::PermissionDenied => return Ok(Vec::new()),
        Err(status) => return Err(status.into()),
    };
    Ok(answer
        .sessions
        .into_iter()
        .map(|session| SessionRow {
            last_use: time(session.last_use_time.as_ref()).unwrap_or_default(),
            session_id: session.session_id,
            device: device(&session.user_agent),
            current: session.current,
        })
        .collect())
}

/// Browser and system as people call them; what the program calls itself where they are not recognised.
fn device(user_agent: &str) -> String {
    // The order decides: each of these also carries the names of those after it.
    let browsers = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let known = |table: &[(&str, &'static str)]| {
        table
            .iter()
            .find(|(sign, _)| user_agent.contains(sign))
            .map(|(_, name)| *name)
    };
    match (known(&browsers), known(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => user_agent.chars().take(60).collect(),
    }
}

async fn fetch(
    _: User,
    Path((legalisation_request_id, kind)): Path<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let file = File::Sealed {
        legalisation_request_id,
        kind: api::file_kind(&kind)?,
    };
    download::answer(asked, file, Disposition::Attachment).await
}

async fn end_session(State(app): State<App>, user: User, Path(session_id): Path<String>) -> Response {
    match end(&app, &user, session_id).await {
        Ok(()) => see_other("/account"),
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn devices_have_names() {
        for (user_agent, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
                "Chrome · Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge · Windows",
            ),
            (
                "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
                "Firefox · Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1",
                "Safari · iOS",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", ""),
        ] {
            assert_eq!(device(user_agent), expected);
        }
    }
}
