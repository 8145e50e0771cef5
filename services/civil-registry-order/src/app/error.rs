//! Why a use case was not done.

use sqlx::Error as SqlError;
use wathiq_chassis::FieldViolation;
use wathiq_outbox::{AuditError, IdempotencyError, OutboxError};

use crate::clients::ClientError;
use crate::documents::DrawError;
use crate::domain::fault::Faults;
use crate::domain::order::work::WorkError;
use crate::storage::StorageError;
use crate::store::StoreError;

/// Why a use case was not done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("some fields are wrong")]
    Invalid(Vec<FieldViolation>),
    /// Unknown, or not to be seen by this caller.
    #[error("{resource} {id} was not found")]
    NotFound { resource: &'static str, id: String },
    /// A rule of the domain or of the office stands against it; `reason` is its stable code.
    #[error("{description}")]
    Refused {
        reason: &'static str,
        subject: String,
        description: String,
    },
    #[error("{description}")]
    Denied {
        reason: &'static str,
        description: &'static str,
    },
    /// What is to be added is there already.
    #[error("{description}")]
    Taken {
        reason: &'static str,
        description: &'static str,
    },
    /// The order does not allow it.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// What the caller saw is no longer what stands.
    #[error("it was changed in the meantime")]
    Stale,
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A document cannot be drawn.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// The upload broke off.
    #[error("the upload ended before it was complete")]
    UploadBroken(#[source] Box<tonic::Status>),
}

impl From<SqlError> for AppError {
    fn from(error: SqlError) -> Self {
        Self::Store(StoreError::Database(error))
    }
}

impl AppError {
    /// A rule stands against it.
    pub fn refused(reason: &'static str, subject: impl ToString, description: impl Into<String>) -> Self {
        Self::Refused {
            reason,
            subject: subject.to_string(),
            description: description.into(),
        }
    }

    /// One wrong field.
    pub fn invalid(field: &str, reason: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, reason, description)])
    }

    /// Everything that is wrong with the fields.
    pub fn faults(faults: Faults) -> Self {
        let violations = faults.into_found().into_iter();
        Self::Invalid(
            violations
                .map(|fault| FieldViolation::new(fault.field, fault.reason, fault.description))
                .collect(),
        )
    }

    /// Unknown, or not to be seen.
    pub fn not_found(resource: &'static str, id: impl ToString) -> Self {
        Self::NotFound {
            resource,
            id: id.to_string(),
        }
    }
}
