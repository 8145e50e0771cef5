//! Why a use case was not done.

use uuid::Uuid;
use wathiq_chassis::FieldViolation;
use wathiq_outbox::{AuditError, IdempotencyError, OutboxError};

use crate::domain::party::Fault;
use crate::domain::shipment::{NotTyped, Refusal};
use crate::domain::vocabulary::Product;
use crate::domain::webhook::NotSigned;
use crate::store::StoreError;

/// Why a use case was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} fields are not taken", .0.len())]
    Invalid(Vec<FieldViolation>),
    /// Unknown, or not to be seen by this caller.
    #[error("{resource} {id} was not found")]
    NotFound { resource: &'static str, id: String },
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What is to be added is there already; `reason` is its stable code.
    #[error("{description}")]
    Taken {
        reason: &'static str,
        description: String,
    },
    #[error("{description}")]
    Denied {
        reason: &'static str,
        description: &'static str,
    },
    #[error("no range of {} has a number left", .0.as_str())]
    NumbersExhausted(Product),
    #[error(transparent)]
    NotSigned(#[from] NotSigned),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error("a stored response does not decode")]
    StoredResponse(#[source] prost::DecodeError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("the document cannot be drawn")]
    Render(#[from] wathiq_documents::RenderError),
    #[error("the number cannot be drawn as a barcode")]
    Barcode(#[from] wathiq_documents::NotEncodable),
    #[error("the list cannot be written")]
    Csv(#[source] csv::Error),
    /// The process is ending.
    #[error("the work was interrupted")]
    WorkLost,
}

impl Error {
    /// One wrong field.
    pub fn field(field: impl Into<String>, reason: &'static str, description: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, reason, description)])
    }

    /// Wrong fields of a value of the domain.
    pub fn faults(faults: Vec<Fault>) -> Self {
        Self::Invalid(faults.into_iter().map(violation).collect())
    }

    /// The shipment is unknown or not to be seen.
    pub fn no_shipment(id: impl ToString) -> Self {
        Self::NotFound {
            resource: "shipment",
            id: id.to_string(),
        }
    }

    /// The deposit list is unknown or not to be seen.
    pub fn no_deposit_list(id: Uuid) -> Self {
        Self::NotFound {
            resource: "deposit_list",
            id: id.to_string(),
        }
    }
}

/// A fault as it is told to callers.
pub(super) fn violation(fault: Fault) -> FieldViolation {
    FieldViolation::new(fault.field, fault.reason, fault.description)
}

impl From<NotTyped> for Error {
    fn from(error: NotTyped) -> Self {
        match error {
            NotTyped::Refused(refusal) => Self::Refused(refusal),
            NotTyped::Time(fault) => Self::faults(vec![fault.within("event.event_time")]),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Database(error))
    }
}
