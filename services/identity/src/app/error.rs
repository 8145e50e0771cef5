use std::time::Duration;

use wathiq_chassis::FieldViolation;

use crate::crypto::jws::JwsError;
use crate::crypto::password_hash::PasswordHashError;
use crate::crypto::sealer::SealError;
use crate::domain::refusal::Refusal;
use crate::store::StoreError;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} fields are not taken", .0.len())]
    Invalid(Vec<FieldViolation>),
    #[error("refused")]
    Refused(#[from] Refusal),
    #[error("the quota is used up")]
    Limited {
        reason: &'static str,
        retry_after: Duration,
    },
    #[error("the request id was used before for another request")]
    RequestIdReused,
    #[error("storing failed")]
    Store(#[from] StoreError),
    #[error("the idempotency record failed")]
    Idempotency(#[source] wathiq_outbox::IdempotencyError),
    #[error("a stored response does not decode")]
    StoredResponse(#[source] prost::DecodeError),
    #[error("appending an event failed")]
    Outbox(#[from] wathiq_outbox::OutboxError),
    #[error("writing the audit trail failed")]
    Audit(#[from] wathiq_outbox::AuditError),
    #[error("hashing a password failed")]
    PasswordHash(#[from] PasswordHashError),
    #[error("encryption at rest failed")]
    Seal(#[from] SealError),
    #[error("signing failed")]
    Jws(#[from] JwsError),
    #[error("what was sealed is not what it should be")]
    SealedContent(#[source] serde_json::Error),
}

impl Error {
    /// One wrong field.
    pub fn field(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, reason, description)])
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<wathiq_outbox::IdempotencyError> for Error {
    fn from(error: wathiq_outbox::IdempotencyError) -> Self {
        match error {
            wathiq_outbox::IdempotencyError::RequestIdReused { .. } => Self::RequestIdReused,
            other => Self::Idempotency(other),
        }
    }
}
