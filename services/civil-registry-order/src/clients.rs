//! The services this one asks.

pub mod identity;
pub mod payment;
pub mod postal_shipping;
pub mod signature;

use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_chassis::status::Violation;

/// Rows asked for at a time.
const PAGE: i32 = 500;

/// Some rows, and the token of those that follow; empty at the end.
pub type Page<T> = (Vec<T>, String);

/// Why another service gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{service} does not know the {resource}")]
    NotFound {
        service: &'static str,
        resource: &'static str,
    },
    /// It said no, with a reason of its own.
    #[error("{service} refused")]
    Refused {
        service: &'static str,
        source: Box<Status>,
    },
    #[error("{service} does not answer")]
    Unavailable {
        service: &'static str,
        source: Box<Status>,
    },
    #[error("{service} answered without a usable {what}")]
    Unusable {
        service: &'static str,
        what: &'static str,
    },
}

impl ClientError {
    /// The reason of a refusal.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Refused { source, .. } => wathiq_chassis::status::reason(source),
            _ => None,
        }
    }

    /// Whether the same call would be refused again. What an operator mends (access between services) is none of it.
    pub fn is_final(&self) -> bool {
        match self {
            Self::NotFound { .. } => true,
            Self::Refused { source, .. } => {
                let passes = [Code::Aborted, Code::ResourceExhausted, Code::Unauthenticated];
                !passes.contains(&source.code()) && self.reason().as_deref() != Some("CLIENT_NOT_ALLOWED")
            }
            Self::Unavailable { .. } | Self::Unusable { .. } => false,
        }
    }

    /// The wrong fields that a refusal names; none where it is of another kind.
    pub fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Refused { source, .. } => wathiq_chassis::status::violations(source),
            _ => Vec::new(),
        }
    }
}

/// An id that a service gives.
fn id(service: &'static str, what: &'static str, text: &str) -> Result<Uuid, ClientError> {
    Uuid::try_parse(text).map_err(|_| ClientError::Unusable { service, what })
}

/// The error for a call of `service` about `resource`.
pub(crate) fn failure(service: &'static str, resource: &'static str) -> impl FnOnce(Status) -> ClientError {
    move |status| match status.code() {
        Code::NotFound => ClientError::NotFound { service, resource },
        Code::FailedPrecondition
        | Code::InvalidArgument
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::AlreadyExists
        | Code::Aborted
        | Code::ResourceExhausted => ClientError::Refused {
            service,
            source: Box::new(status),
        },
        _ => ClientError::Unavailable {
            service,
            source: Box::new(status),
        },
    }
}
