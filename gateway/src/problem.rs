//! Errors as RFC 9457 problem documents, in the person's language.
//!
//! A handler returns a [`Problem`]; the outermost layer writes it as JSON for the API and as a page for people, because
//! only there the language and the kind of route are known.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tonic::Code;
use utoipa::ToSchema;
use wathiq_chassis::status;

use crate::language::{Language, find, text};

/// What went wrong, before it is written in a language.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    /// Stable code, equal to the `ErrorInfo` reason where a service answered.
    pub reason: String,
    /// English text for developers, shown where the catalogue has none for the reason.
    pub description: String,
    pub errors: Vec<FieldProblem>,
    pub metadata: BTreeMap<String, String>,
    pub retry_after: Option<Duration>,
}

/// One bad field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProblem {
    /// JSON pointer (RFC 6901) into the request body, or `#query/<name>`, `#header/<name>`, `#path/<name>`.
    pub pointer: String,
    /// Stable code.
    pub reason: String,
    /// What to do, in the person's language where the catalogue has it.
    pub detail: String,
}

/// The document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// Stable code.
    pub reason: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// Further facts, such as `lock` or `field`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Name this when asking for help.
    pub request_id: String,
}

impl Problem {
    #[must_use]
    pub fn new(status: StatusCode, reason: &str, description: impl Into<String>) -> Self {
        Problem {
            status,
            reason: reason.to_owned(),
            description: description.into(),
            errors: Vec::new(),
            metadata: BTreeMap::new(),
            retry_after: None,
        }
    }

    /// A request whose named part is wrong.
    #[must_use]
    pub fn field(pointer: &str, reason: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let mut problem = Problem::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", detail.clone());
        problem.errors.push(FieldProblem {
            pointer: pointer.to_owned(),
            reason: reason.to_owned(),
            detail,
        });
        problem
    }

    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// The document in a language.
    #[must_use]
    pub fn document(&self, language: Language, base: &str, request_id: &str) -> ProblemDocument {
        let class = format!("status.{}", self.status.as_u16());
        let detail = said(language, ["problem", "field"], &self.reason).unwrap_or(&self.description);
        ProblemDocument {
            kind: format!("{base}{}", self.reason.to_lowercase().replace('_', "-")),
            title: find(language, &class)
                .unwrap_or_else(|| text(language, "status.500"))
                .to_owned(),
            status: self.status.as_u16(),
            detail: detail.to_owned(),
            reason: self.reason.clone(),
            errors: self
                .errors
                .iter()
                .map(|error| localised(error, language))
                .collect(),
            metadata: self.metadata.clone(),
            request_id: request_id.to_owned(),
        }
    }
}

fn localised(error: &FieldProblem, language: Language) -> FieldProblem {
    let detail = match said(language, ["field", "problem"], &error.reason) {
        // What exactly is malformed is for whoever wrote the program, and only the English text says it.
        Some(text) if error.reason == "MALFORMED" => format!("{text} ({})", error.detail),
        Some(text) => text.to_owned(),
        None => error.detail.clone(),
    };
    FieldProblem {
        detail,
        ..error.clone()
    }
}

/// The text of a reason; some reasons are said of a field here and of a whole call there.
fn said(language: Language, sections: [&str; 2], reason: &str) -> Option<&'static str> {
    sections
        .into_iter()
        .find_map(|section| find(language, &format!("{section}.{reason}")))
}

impl From<tonic::Status> for Problem {
    fn from(answer: tonic::Status) -> Self {
        if http_status(answer.code()) == StatusCode::INTERNAL_SERVER_ERROR {
            // What a service says of its own fault is for its log, not for the caller.
            return Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL",
                "something went wrong",
            );
        }
        let info = status::error_info(&answer);
        let reason = info.as_ref().map_or_else(
            || default_reason(answer.code()).to_owned(),
            |info| info.reason.clone(),
        );
        let mut problem = Problem::new(http_status(answer.code()), &reason, answer.message());
        problem.errors = status::violations(&answer)
            .into_iter()
            .map(|violation| FieldProblem {
                pointer: pointer(&violation.field),
                reason: violation.reason,
                detail: violation.description,
            })
            .collect();
        if let Some(info) = info {
            problem.metadata = info.metadata.into_iter().collect();
        }
        problem.retry_after = status::retry_after(&answer);
        let later = matches!(
            problem.status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
        );
        if later && problem.retry_after.is_none() {
            problem.retry_after = Some(Duration::from_secs(5));
        }
        problem
    }
}

/// `applicant.names[1].family` becomes `/applicant/names/1/family`.
fn pointer(field: &str) -> String {
    field.split(['.', '[']).fold(String::new(), |path, part| {
        let escaped = part.trim_end_matches(']').replace('~', "~0").replace('/', "~1");
        format!("{path}/{escaped}")
    })
}

fn http_status(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::FailedPrecondition => StatusCode::UNPROCESSABLE_ENTITY,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn default_reason(code: Code) -> &'static str {
    match code {
        Code::Unavailable => "SERVICE_UNAVAILABLE",
        Code::DeadlineExceeded => "TIME_OUT",
        Code::NotFound => "NOT_FOUND",
        Code::InvalidArgument | Code::OutOfRange => "INVALID_ARGUMENT",
        Code::Unauthenticated => "SIGN_IN_REQUIRED",
        Code::PermissionDenied => "NOT_ALLOWED",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::Aborted => "LOST_RACE",
        Code::FailedPrecondition => "REQUEST_STATE",
        Code::ResourceExhausted => "RATE_LIMITED",
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => "INTERNAL",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(delay) = self.retry_after {
            let seconds = delay.as_secs().max(1);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Answers addresses that lead nowhere.
pub async fn no_such_address() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "NO_SUCH_ADDRESS",
        "nothing is at this address",
    )
}

/// Answers methods that an address does not have; the framework adds `Allow`.
pub async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "this address does not take this method",
    )
}

/// A panic in a handler: an error in the program, already in the log.
#[must_use]
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "INTERNAL",
        "something went wrong",
    )
    .into_response()
}
