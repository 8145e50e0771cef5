//! The layer around every request: its id, its trace, its language, its session, its limits, its deadline and token for
//! outgoing calls, the security headers, and the writing of problems.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tracing::{Instrument, Span};
use wathiq_chassis::{CallContext, telemetry};

use crate::api::callbacks::{Bare, NOT_TAKEN};
use crate::app::App;
use crate::client_address::{self, ClientAddress, Peer};
use crate::language::Language;
use crate::pages::{self, FormTarget};
use crate::partners;
use crate::patience::Patience;
use crate::problem::Problem;
use crate::quota;
use crate::session::{self, Presented, Standing, check_same_site};

/// Longest time a request may hold its outgoing calls.
const DEADLINE: Duration = Duration::from_secs(55);
/// What a service has left for a file once its last byte has come.
const EXAMINATION: Duration = Duration::from_secs(60);
/// Where a body is a file, which a cheap phone on a slow line sends for minutes.
const FILES: [&str; 6] = [
    "/v1/documents",
    "/v1/verification",
    "/verify",
    "/v1/civil-status/evidence",
    "/v1/office/register-scans",
    "/v1/carrier/event-files",
];

/// The request's id, shown in problems and logs.
#[derive(Clone)]
pub struct RequestId(pub String);

/// What is known of a request before it is handled.
struct Facts {
    started: Instant,
    request_id: String,
    language: Language,
    is_page: bool,
    /// A payment provider posts here.
    is_of_payment: bool,
    carries_file: bool,
    method: Method,
    route: String,
    address: IpAddr,
}

impl Facts {
    fn of(app: &App, request: &Request) -> Self {
        let peer = request
            .extensions()
            .get::<Peer>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .map_or("unmatched", MatchedPath::as_str);
        Facts {
            started: Instant::now(),
            request_id: app.ambient.uuid_v7().to_string(),
            language: pages::language(request),
            is_page: pages::is_page(request.uri().path()),
            is_of_payment: partners::is_of_payment(request.uri().path()),
            carries_file: request.method() == Method::POST && FILES.contains(&request.uri().path()),
            method: request.method().clone(),
            route: route.to_owned(),
            address: client_address::of(peer, request.headers(), &app.settings.http.trusted_proxies),
        }
    }
}

/// Wraps a request; the outermost layer of the router.
pub async fn handle(State(app): State<App>, request: Request, next: Next) -> Response {
    let facts = Facts::of(&app, &request);
    let span = span(&app, &facts, &request);
    let response = answer(&app, &facts, request, next).instrument(span.clone()).await;
    record(&facts, &span, response.status());
    response
}

fn span(app: &App, facts: &Facts, request: &Request) -> Span {
    let span = tracing::info_span!(
        "http.request",
        otel.name = format!("{} {}", facts.method, facts.route),
        otel.kind = "server",
        http.request.method = %facts.method,
        http.route = facts.route,
        http.response.status_code = tracing::field::Empty,
        request_id = facts.request_id,
    );
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let trusted = peer.is_some_and(|peer| client_address::among(peer, &app.settings.http.trusted_tracers));
    let parent = request.headers().get("traceparent").filter(|_| trusted);
    if let Some(parent) = parent.and_then(|value| value.to_str().ok()) {
        telemetry::set_parent(&span, parent);
    }
    span
}

async fn answer(app: &App, facts: &Facts, request: Request, next: Next) -> Response {
    let of_partners = partners::is_partners(request.uri().path());
    let presented = Presented::of(request.headers()).filter(|_| !of_partners);
    let by_cookie = presented.as_ref().is_some_and(|presented| presented.by_cookie);
    let bucket = quota::bucket(&facts.method, request.uri().path());
    let secure = app.settings.http.public_url.starts_with("https://");
    let language_cookie = facts
        .is_page
        .then(|| pages::language_cookie(request.uri(), secure))
        .flatten();
    let same_site = check_same_site(&facts.method, request.headers(), &app.settings.http.public_url);
    let (standing, limit, verdict) = match same_site {
        Err(problem) if by_cookie || facts.is_page && !of_partners => (Standing::None, None, Err(problem)),
        _ => admit(app, facts, bucket, presented).await,
    };
    let ended = by_cookie && matches!(standing, Standing::Ended);
    let signs_in_or_shows_account = is_of_the_session(request.uri().path());
    let mut response = match verdict {
        Ok(()) => hear(app, facts, standing, request, next).await,
        Err(problem) => problem.into_response(),
    };
    if let Some(problem) = problem_of(&mut response) {
        response = match facts.is_of_payment {
            true => not_taken(&problem, response),
            false => write_problem(app, facts, &problem, response),
        };
    }
    if let Some(limit) = limit {
        limit.write(response.headers_mut());
    }
    if let Some(cookie) = language_cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    // Not on any answer: one that comes late would take back the cookie of the session begun meanwhile.
    let refused = facts.is_page && response.status() == StatusCode::UNAUTHORIZED;
    if ended && (refused || signs_in_or_shows_account) && !session::sets_cookie(response.headers()) {
        response
            .headers_mut()
            .append(header::SET_COOKIE, session::ended_cookie());
    }
    protect(app, &mut response, &facts.request_id);
    response
}

/// Whether an address is a form of signing in or a page of the signed-in person.
fn is_of_the_session(path: &str) -> bool {
    ["/sign-in", "/account"].iter().any(|start| {
        path.strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether the request is heard at all, and as whose.
async fn admit(
    app: &App,
    facts: &Facts,
    bucket: Option<&'static str>,
    presented: Option<Presented>,
) -> (Standing, Option<quota::Standing>, Result<(), Problem>) {
    let Some(bucket) = bucket else {
        return (Standing::None, None, Ok(()));
    };
    let address = client_address::limited_as(facts.address);
    let standing = match presented {
        Some(presented) => app.exchange.standing(&presented, &address).await,
        None => Standing::None,
    };
    if let Standing::Limited(problem) = &standing {
        let problem = problem.clone();
        return (standing, None, Err(problem));
    }
    let whom = match &standing {
        Standing::Live(user) if matches!(bucket, "http.default" | "http.upload") => user.session_id.clone(),
        _ => address,
    };
    let (limit, verdict) = quota::take(app, bucket, &whom).await;
    (standing, Some(limit), verdict)
}

/// Lets the handler answer, within the time and with the token that its calls have.
async fn hear(app: &App, facts: &Facts, standing: Standing, mut request: Request, next: Next) -> Response {
    let patience = Patience::of(&app.settings.http.limits, facts.carries_file);
    let within = if facts.carries_file {
        patience.whole() + EXAMINATION
    } else {
        DEADLINE
    };
    let mut context = CallContext::new(within, facts.request_id.clone());
    if let Standing::Live(user) = &standing {
        context = context.with_bearer(user.token.clone());
    }
    let extensions = request.extensions_mut();
    extensions.insert(standing);
    extensions.insert(facts.language);
    extensions.insert(RequestId(facts.request_id.clone()));
    extensions.insert(ClientAddress(facts.address.to_string()));
    if facts.method.is_safe() {
        return context.scope(next.run(request)).await;
    }
    let (mut head, body) = request.into_parts();
    let (body, sender) = patience.with(body);
    head.extensions.insert(sender.clone());
    let response = context.scope(next.run(Request::from_parts(head, body))).await;
    if !sender.is_late() {
        return response;
    }
    let what = "the body came too slowly or stopped coming";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW", what).into_response()
}

/// The problem a handler or the framework left in a response.
fn problem_of(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    if response.extensions_mut().remove::<Bare>().is_some() {
        return None;
    }
    let status = response.status();
    let written = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| {
        let kind = value.as_bytes();
        kind.starts_with(b"text/html") || kind.starts_with(b"application/problem+json")
    });
    if written || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    Some(match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            status,
            "BODY_TOO_LARGE",
            "the body is larger than this address takes",
        ),
        StatusCode::BAD_REQUEST => Problem::new(status, "MALFORMED", "the request cannot be understood"),
        _ => Problem::new(status, "INTERNAL", "something went wrong"),
    })
}

fn write_problem(app: &App, facts: &Facts, problem: &Problem, bare: Response) -> Response {
    let document = problem.document(facts.language, &app.settings.http.problem_base, &facts.request_id);
    let mut response = if facts.is_page {
        pages::problem(facts.language, &document)
    } else {
        let mut response = Json(document).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    };
    *response.status_mut() = problem.status;
    let tag = HeaderValue::from_static(facts.language.tag());
    response.headers_mut().insert(header::CONTENT_LANGUAGE, tag);
    keep_headers(bare.headers(), response.headers_mut());
    response
}

/// What a payment provider is told whose message did not even get to be read: the word that it knows, and it sends it again.
fn not_taken(problem: &Problem, bare: Response) -> Response {
    tracing::warn!(
        event = "callback.not_heard",
        reason = problem.reason,
        "a provider's message was not heard"
    );
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    let mut response = (problem.status, plain, NOT_TAKEN).into_response();
    keep_headers(bare.headers(), response.headers_mut());
    response
}

fn keep_headers(from: &HeaderMap, to: &mut HeaderMap) {
    for (name, value) in from {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            to.append(name, value.clone());
        }
    }
}

/// Headers that every answer carries: no scripts, no framing, no sniffing, and no address given to other sites. The
/// referrer stays within the site because with none at all browsers send `Origin: null` with our own forms.
fn protect(app: &App, response: &mut Response, request_id: &str) {
    const FIXED: [(&str, &str); 6] = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ];
    let target = response.extensions_mut().remove::<FormTarget>();
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(policy) = target.and_then(|target| target.policy(FIXED[0].1)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
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

fn record(facts: &Facts, span: &Span, status: StatusCode) {
    let elapsed = facts.started.elapsed();
    span.record("http.response.status_code", status.as_u16());
    metrics::histogram!(
        "http_server_request_duration_seconds",
        "http_route" => facts.route.clone(),
        "http_request_method" => method_label(&facts.method),
        "http_response_status_code" => status.as_str().to_owned(),
    )
    .record(elapsed.as_secs_f64());
    let _entered = span.enter();
    tracing::info!(
        event = "http.request",
        method = method_label(&facts.method),
        route = facts.route,
        status = status.as_u16(),
        milliseconds = elapsed.as_millis(),
        request_id = facts.request_id,
        "request served"
    );
}

/// A method as a label: a stranger's inventions would make series without bound.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}
