//! Paying: the choice of a way to pay, the form that the browser posts to the provider's page, the way back, and the
//! receipt.

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::api::callbacks::{LARGEST_CALLBACK, Posted};
use crate::api::{self, payments};
use crate::app::App;
use crate::language::{Language, find, text};
use crate::pages::facts::time;
use crate::pages::order::money;
use crate::pages::{FormTarget, Frame, page, see_other, sign_in};
use crate::problem::Problem;
use crate::session::{Standing, User};

struct Item {
    label: String,
    amount: String,
}

#[derive(Template)]
#[template(path = "payment.html")]
struct PaymentPage<'page> {
    frame: &'page Frame,
    start: String,
    back: String,
    request_id: String,
    phone_request_id: String,
    items: Vec<Item>,
    total: String,
    until: String,
    attempt: Option<String>,
    /// The payer is back and the provider has not confirmed yet.
    confirming: bool,
    by_card: bool,
    by_phone: bool,
    /// Why nothing is to be paid.
    closed: Option<&'static str>,
    receipt: Option<String>,
    error: Option<String>,
    phone: String,
    phone_error: bool,
}

#[derive(Template)]
#[template(path = "hosted.html")]
struct HostedPage<'page> {
    frame: &'page Frame,
    form: &'page pb::HostedForm,
    host: String,
    back: String,
}

#[derive(Template)]
#[template(path = "prompt.html")]
struct PromptPage<'page> {
    frame: &'page Frame,
    phone: &'page str,
    until: String,
    back: String,
}

#[derive(Deserialize)]
struct StartForm {
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    phone: String,
}

pub(super) fn router() -> Router<App> {
    let back = Router::new()
        .route(
            "/callbacks/payments/{provider}/return/{outcome}",
            post(come_back).get(come_back_without),
        )
        .layer(DefaultBodyLimit::max(LARGEST_CALLBACK));
    Router::new()
        .route("/payments/{payable_id}/start", get(choose).post(start))
        .route("/payments/{payable_id}/receipt", get(receipt))
        .merge(back)
}

/// The page of what is paid for.
fn owner_page(owner: &str, owner_reference: &str) -> String {
    match owner {
        "civil-registry-order" => format!("/orders/{}", api::percent_encode(owner_reference)),
        "signature" => "/account".to_owned(),
        _ => "/".to_owned(),
    }
}

async fn choose(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path(payable_id): Path<String>,
) -> Result<Response, Problem> {
    match standing {
        Standing::Live(_) => {}
        Standing::Unknown(problem) | Standing::Limited(problem) => return Err(problem),
        Standing::None | Standing::Ended => return Ok(see_other(&sign_in::address(&frame.path))),
    }
    show(&app, &frame, payable_id, None, String::new()).await
}

/// The choice of a way to pay, again with what was wrong.
async fn show(
    app: &App,
    frame: &Frame,
    payable_id: String,
    problem: Option<Problem>,
    phone: String,
) -> Result<Response, Problem> {
    let request = pb::GetPaymentRequest { payable_id };
    let answer = app.clients.payments().get_payment(request).await?.into_inner();
    let payable = api::filled(answer.payable)?;
    let offers = |provider: &str| answer.options.iter().any(|option| option.provider == provider);
    let language = frame.language;
    let items = payable.items.iter().map(|item| Item {
        label: match language {
            Language::Arabic | Language::Tamazight => item.label_ar.clone(),
            Language::French | Language::English => item.label_fr.clone(),
        },
        amount: money(language, item.amount_centimes),
    });
    let closed = match payable.state() {
        pb::PayableState::Open => None,
        state => Some(payments::payable_text_key(state)),
    };
    let field = problem.as_ref().and_then(|problem| problem.errors.first());
    let reason = field.map(|field| field.reason.clone());
    let reason = reason.or_else(|| problem.as_ref().map(|problem| problem.reason.clone()));
    let error = reason.map(|reason| said(language, &reason));
    let confirming = payments::confirming(&payable);
    let shown = PaymentPage {
        frame,
        start: format!("/payments/{}/start", payable.payable_id),
        back: owner_page(&payable.owner, &payable.owner_reference),
        request_id: app.ambient.uuid_v7().to_string(),
        phone_request_id: app.ambient.uuid_v7().to_string(),
        items: items.collect(),
        total: money(language, payable.amount_centimes),
        until: time(payable.expire_time.as_ref()).unwrap_or_default(),
        attempt: confirming
            .or_else(|| payable.attempts.last())
            .map(|attempt| payments::attempt_text(language, attempt)),
        by_card: closed.is_none() && confirming.is_none() && offers("cmi"),
        by_phone: closed.is_none() && confirming.is_none() && offers("text-message"),
        confirming: confirming.is_some(),
        closed: closed.map(|key| text(language, key)),
        receipt: (payable.state() == pb::PayableState::Paid)
            .then(|| format!("/payments/{}/receipt", payable.payable_id)),
        phone_error: field.is_some_and(|field| field.pointer.contains("phone")),
        error,
        phone,
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.status);
    Ok(page(frame, status, &shown))
}

fn said(language: Language, reason: &str) -> String {
    let known = ["field", "problem"]
        .into_iter()
        .find_map(|section| find(language, &format!("{section}.{reason}")));
    known.unwrap_or_else(|| text(language, "pay.failed")).to_owned()
}

async fn start(
    State(app): State<App>,
    frame: Frame,
    _: User,
    Path(payable_id): Path<String>,
    Form(form): Form<StartForm>,
) -> Result<Response, Problem> {
    let request = pb::StartAttemptRequest {
        request_id: form.request_id,
        payable_id: payable_id.clone(),
        provider: form.provider,
        language: payments::provider_language(frame.language),
        phone: form.phone.clone(),
    };
    let answer = match app.clients.payments().start_attempt(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            let problem = Problem::from(status);
            let mendable = matches!(
                problem.status,
                StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::TOO_MANY_REQUESTS
            );
            return if mendable {
                show(&app, &frame, payable_id, Some(problem), form.phone).await
            } else {
                Err(problem)
            };
        }
    };
    let back = format!("/payments/{}/start", api::percent_encode(&payable_id));
    match api::filled(answer.next)? {
        pb::start_attempt_response::Next::HostedForm(form) => hosted(&frame, &form, back),
        pb::start_attempt_response::Next::TextMessage(prompt) => {
            let shown = PromptPage {
                frame: &frame,
                phone: &prompt.masked_phone,
                until: time(prompt.expire_time.as_ref()).unwrap_or_default(),
                back,
            };
            Ok(page(&frame, StatusCode::OK, &shown))
        }
    }
}

/// The page whose form leads to the provider; its origin is allowed on this page alone.
fn hosted(frame: &Frame, form: &pb::HostedForm, back: String) -> Result<Response, Problem> {
    let target = api::filled(FormTarget::of(&form.action_url))?;
    let shown = HostedPage {
        frame,
        form,
        host: target.host().to_owned(),
        back,
    };
    let mut response = page(frame, StatusCode::OK, &shown);
    response.extensions_mut().insert(target);
    Ok(response)
}

async fn receipt(
    State(app): State<App>,
    _: User,
    Path(payable_id): Path<String>,
) -> Result<Response, Problem> {
    payments::receipt(&app, payable_id).await
}

#[derive(Template)]
#[template(path = "returned.html")]
struct ReturnedPage<'page> {
    frame: &'page Frame,
}

/// The browser comes back: it proves nothing, and goes on to the page of what it paid for. Where that cannot be told, the payer is not left with an
/// error and the thought of paying again.
async fn come_back(
    State(app): State<App>,
    frame: Frame,
    Path((provider, _)): Path<(String, String)>,
    posted: Result<Posted, Problem>,
) -> Response {
    match returned(&app, provider, posted).await {
        Ok(answer) => see_other(&owner_page(&answer.owner, &answer.owner_reference)),
        Err(problem) => {
            tracing::warn!(
                event = "payment.return_not_taken",
                reason = problem.reason,
                "payment did not take a browser's return"
            );
            page(&frame, problem.status, &ReturnedPage { frame: &frame })
        }
    }
}

async fn returned(
    app: &App,
    provider: String,
    posted: Result<Posted, Problem>,
) -> Result<pb::ReceiveReturnResponse, Problem> {
    let Posted(fields) = posted?;
    let request = pb::ReceiveReturnRequest { provider, fields };
    let answer = app.clients.providers().receive_return(request).await?;
    Ok(answer.into_inner())
}

/// Without the provider's fields, such as after going back in the browser, nobody knows whose order it was.
async fn come_back_without(frame: Frame) -> Response {
    page(&frame, StatusCode::OK, &ReturnedPage { frame: &frame })
}
