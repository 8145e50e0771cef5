//! Why a use case was not done.

use sqlx::Error as SqlError;
use uuid::Uuid;
use wathiq_chassis::FieldViolation;
use wathiq_outbox::{AuditError, IdempotencyError, OutboxError};

use crate::app::seal_crypto::SealCryptoError;
use crate::clients::identity::IdentityError;
use crate::clients::payment::PaymentError;
use crate::domain::transition::TransitionError;
use crate::keys::KeyError;
use crate::pdf::PdfError;
use crate::storage::StorageError;
use crate::store::StoreError;

/// Why a use case was not done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("some fields are wrong")]
    Invalid(Vec<FieldViolation>),
    /// Unknown, or not to be seen by this caller.
    #[error("{resource} {id} was not found")]
    NotFound { resource: &'static str, id: Uuid },
    #[error("the request does not allow this")]
    Transition(#[from] TransitionError),
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
    /// What the caller saw is no longer what stands.
    #[error("the request was changed in the meantime")]
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
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Payment(#[from] PaymentError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// The officer's token, or the module that leads to it, does not answer.
    #[error("the officer's key cannot be reached")]
    KeyUnavailable(#[source] KeyError),
    /// Stored parts of a seal do not fit together.
    #[error("the seal cannot be put together")]
    SealCrypto(#[source] SealCryptoError),
    /// The process is ending; what was begun is taken up again.
    #[error("the work was interrupted")]
    WorkLost,
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
    pub fn invalid(field: &'static str, reason: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, reason, description)])
    }

    /// The request is unknown or not to be seen.
    pub fn request_not_found(id: Uuid) -> Self {
        Self::NotFound {
            resource: "legalisation_request",
            id,
        }
    }
}
