//! Errors on the wire: `google.rpc` details around every status, made in one place.
//!
//! Every status made here carries `ErrorInfo { reason, domain, metadata }` (AIP-193), and what its kind adds:
//! `BadRequest`, `PreconditionFailure`, `ResourceInfo`, `RetryInfo`, `RequestInfo`.

mod detail;

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, ErrorInfo, StatusExt};
use uuid::Uuid;

use crate::{ambient::Ambient, context::CallContext};

pub use detail::Violation;

/// Reason of every status with all wrong fields.
pub const INVALID_ARGUMENT: &str = "INVALID_ARGUMENT";
/// Reason of every status that says nothing but that we failed.
pub const INTERNAL: &str = "INTERNAL";

/// The domain of `ErrorInfo`, which makes a reason unique: `identity.wathiq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorDomain(pub &'static str);

/// The domain of the errors that this crate itself answers, before a handler is reached.
pub const PLATFORM: ErrorDomain = ErrorDomain("wathiq");

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// Dotted path from the request: `applicant.birth_date`, `signers[1].email`.
    pub field: String,
    /// Machine-readable reason, `UPPER_SNAKE_CASE`.
    pub reason: &'static str,
    /// For developers, in English.
    pub description: String,
}

impl FieldViolation {
    /// A wrong field.
    pub fn new(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason,
            description: description.into(),
        }
    }

    /// The same violation seen from one level up: `birth_date` in `applicant` is `applicant.birth_date`.
    #[must_use]
    pub fn scope(mut self, parent: &str) -> Self {
        self.field = if self.field.is_empty() {
            parent.to_owned()
        } else {
            format!("{parent}.{}", self.field)
        };
        self
    }
}

/// All wrong fields at once: INVALID_ARGUMENT with `BadRequest`.
pub fn invalid_argument(domain: ErrorDomain, violations: Vec<FieldViolation>) -> Status {
    let fields: Vec<&str> = violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    let message = format!("invalid: {}", fields.join(", "));
    let info = error_details(domain, INVALID_ARGUMENT);
    detail::with_violations(Code::InvalidArgument, message, info, violations)
}

/// Unknown, or not to be seen by this caller: NOT_FOUND with `ResourceInfo`, reason `<TYPE>_NOT_FOUND`.
///
/// `resource_type` is a word in snake or upper case (`legalisation_request`), `name` the id that was asked for.
pub fn not_found(domain: ErrorDomain, resource_type: &str, name: &str) -> Status {
    let reason = format!("{}_NOT_FOUND", resource_type.to_uppercase());
    let mut details = error_details(domain, &reason);
    details.set_resource_info(resource_type, name, "", "");
    status(
        Code::NotFound,
        format!("{resource_type} {name} not found"),
        details,
    )
}

/// Illegal in the present state: FAILED_PRECONDITION with `PreconditionFailure`.
pub fn failed_precondition(
    domain: ErrorDomain,
    reason: &'static str,
    subject: impl Into<String>,
    description: impl Into<String>,
) -> Status {
    let description = description.into();
    let mut details = error_details(domain, reason);
    details.add_precondition_failure_violation(reason, subject, description.clone());
    status(Code::FailedPrecondition, description, details)
}

/// A lost race or a stale etag: ABORTED; read again, then decide again.
pub fn aborted(domain: ErrorDomain, reason: &'static str, description: impl Into<String>) -> Status {
    status(Code::Aborted, description.into(), error_details(domain, reason))
}

/// A natural key is taken, or a request id was used for another request: ALREADY_EXISTS.
pub fn already_exists(domain: ErrorDomain, reason: &'static str, description: impl Into<String>) -> Status {
    status(
        Code::AlreadyExists,
        description.into(),
        error_details(domain, reason),
    )
}

/// Known, but not allowed: PERMISSION_DENIED.
pub fn permission_denied(
    domain: ErrorDomain,
    reason: &'static str,
    description: impl Into<String>,
) -> Status {
    status(
        Code::PermissionDenied,
        description.into(),
        error_details(domain, reason),
    )
}

/// No credentials or wrong ones: UNAUTHENTICATED.
pub fn unauthenticated(domain: ErrorDomain, reason: &'static str, description: impl Into<String>) -> Status {
    status(
        Code::Unauthenticated,
        description.into(),
        error_details(domain, reason),
    )
}

/// A quota is used up: RESOURCE_EXHAUSTED with `RetryInfo`.
pub fn resource_exhausted(
    domain: ErrorDomain,
    reason: &'static str,
    retry_after: Duration,
    description: impl Into<String>,
) -> Status {
    let mut details = error_details(domain, reason);
    details.set_retry_info(Some(retry_after));
    status(Code::ResourceExhausted, description.into(), details)
}

/// Something this call needs is down: UNAVAILABLE with `RetryInfo`.
pub fn unavailable(
    domain: ErrorDomain,
    reason: &'static str,
    retry_after: Duration,
    description: impl Into<String>,
) -> Status {
    let mut details = error_details(domain, reason);
    details.set_retry_info(Some(retry_after));
    status(Code::Unavailable, description.into(), details)
}

/// Anything else: the chain of causes is logged here, once; the answer is a fixed text with the request id.
pub fn internal(domain: ErrorDomain, error: &(dyn std::error::Error + 'static)) -> Status {
    let request_id = correlation_id();
    tracing::error!(
        event = "rpc.internal_error",
        domain = domain.0,
        request_id,
        error = chain(error),
        "a call failed for a reason of ours"
    );
    internal_answer(domain, &request_id)
}

/// INTERNAL without a cause to log, for the layer that has already logged a panic.
pub(crate) fn internal_answer(domain: ErrorDomain, request_id: &str) -> Status {
    let mut details = error_details(domain, INTERNAL);
    details.set_request_info(request_id, "");
    status(
        Code::Internal,
        format!("internal error, request {request_id}"),
        details,
    )
}

/// The deadline has passed: DEADLINE_EXCEEDED.
pub(crate) fn deadline_exceeded() -> Status {
    status(
        Code::DeadlineExceeded,
        "the deadline has passed".to_owned(),
        error_details(PLATFORM, "DEADLINE_EXCEEDED"),
    )
}

/// Adds entries to the metadata of the status's `ErrorInfo`, for values a program wants (`state`, `retry_at`).
pub fn with_metadata(status: Status, entries: &[(&str, String)]) -> Status {
    detail::with_metadata(status, entries)
}

/// The reason in the status's `ErrorInfo`.
pub fn reason(status: &Status) -> Option<String> {
    error_info(status).map(|info| info.reason)
}

/// The status's `ErrorInfo`.
pub fn error_info(status: &Status) -> Option<ErrorInfo> {
    status.get_details_error_info()
}

/// The wrong fields a status names, as the caller of a service reads them.
pub fn violations(status: &Status) -> Vec<Violation> {
    detail::violations(status)
}

/// How long the status asks the caller to wait.
pub fn retry_after(status: &Status) -> Option<Duration> {
    status.get_details_retry_info().and_then(|info| info.retry_delay)
}

/// An error and its causes in one line: `cannot save: connection reset`.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn error_details(domain: ErrorDomain, reason: &str) -> ErrorDetails {
    ErrorDetails::with_error_info(reason, domain.0, HashMap::new())
}

fn status(code: Code, message: String, details: ErrorDetails) -> Status {
    Status::with_error_details(code, message, details)
}

fn correlation_id() -> String {
    CallContext::current().map_or_else(|| new_correlation_id().to_string(), |context| context.request_id)
}

pub(crate) fn new_correlation_id() -> Uuid {
    Ambient::system().uuid_v7()
}
