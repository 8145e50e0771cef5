//! The layer around every request: its id, its language, its session, its deadline and token for outgoing calls, the
//! security headers, and the writing of problems.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};
use wathiq_chassis::CallContext;

use crate::app::App;
use crate::language::Language;
use crate::pages;
use crate::problem::Problem;
use crate::session::{Standing, check_same_site};

/// Longest time a request may hold its outgoing calls.
const DEADLINE: Duration = Duration::from_secs(55);

/// The request's id, shown in problems and logs.
#[derive(Clone)]
pub struct RequestId(pub String);

/// Wraps a request; the outermost layer of the router.
pub async fn handle(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = app.ambient.uuid_v7().to_string();
    let language = pages::language(&request);
    let is_page = pages::is_page(request.uri().path());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let standing = app.exchange.standing(request.headers()).await;
    let mut context = CallContext::new(DEADLINE, request_id.clone());
    let mut verdict = Ok(());
    if let Standing::Live(user) = &standing {
        context = context.with_bearer(user.token.clone());
        if user.by_cookie {
            verdict = check_same_site(&method, request.headers(), &app.settings.http.public_url);
        }
    }
    request.extensions_mut().insert(standing);
    request.extensions_mut().insert(language);
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let mut response = match verdict {
        Ok(()) => context.scope(next.run(request)).await,
        Err(problem) => problem.into_response(),
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = write_problem(&app, &problem, language, is_page, &request_id, response);
    }
    protect(&app, &mut response, &request_id);
    record(&route, method.as_str(), response.status().as_u16(), started);
    response
}

fn write_problem(
    app: &App,
    problem: &Problem,
    language: Language,
    is_page: bool,
    request_id: &str,
    bare: Response,
) -> Response {
    let document = problem.document(language, &app.settings.http.problem_base, request_id);
    let mut response = if is_page {
        pages::problem(language, &document)
    } else {
        let mut response = Json(document).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    };
    *response.status_mut() = problem.status;
    let tag = HeaderValue::from_static(language.tag());
    response.headers_mut().insert(header::CONTENT_LANGUAGE, tag);
    for (name, value) in bare.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

/// Headers that every answer carries: no scripts but our own, no framing, no sniffing, no referrer.
fn protect(app: &App, response: &mut Response, request_id: &str) {
    const FIXED: [(&str, &str); 6] = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ];
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if app.settings.http.public_url.starts_with("https://") {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}

fn record(route: &str, method: &str, status: u16, started: Instant) {
    metrics::histogram!(
        "http_server_request_duration_seconds",
        "http_route" => route.to_owned(),
        "http_request_method" => method.to_owned(),
        "http_response_status_code" => status.to_string(),
    )
    .record(started.elapsed().as_secs_f64());
}
