//! Why a use case was not done.

use uuid::Uuid;
use wathiq_chassis::FieldViolation;
use wathiq_documents::RenderError;
use wathiq_outbox::{AuditError, IdempotencyError, OutboxError};

use crate::domain::provider::Provider;
use crate::domain::refusal::Refusal;
use crate::providers::ProviderError;
use crate::store::StoreError;

/// Why a use case was not done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("some fields are wrong")]
    Invalid(Vec<FieldViolation>),
    /// Unknown, or not to be seen by this caller.
    #[error("payable {id} was not found")]
    NotFound { id: String },
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The owner has another payable under this reference.
    #[error("another payable was opened under this reference")]
    Exists,
    #[error("{description}")]
    Denied {
        reason: &'static str,
        description: &'static str,
    },
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The provider cannot be asked.
    #[error("provider {} does not answer", provider.as_str())]
    Provider {
        provider: Provider,
        source: Option<ProviderError>,
    },
    #[error("the receipt cannot be drawn")]
    Receipt(#[source] RenderError),
    /// The process is ending.
    #[error("the work was interrupted")]
    WorkLost,
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Database(error))
    }
}

impl AppError {
    /// One wrong field.
    pub fn invalid(field: &str, reason: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, reason, description)])
    }

    /// The payable is unknown or not to be seen.
    pub fn not_found(id: Uuid) -> Self {
        Self::NotFound { id: id.to_string() }
    }
}
