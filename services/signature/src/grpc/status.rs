//! The one mapping of errors to statuses.

use std::error::Error;
use std::time::Duration;

use tonic::Status;
use wathiq_chassis::ErrorDomain;
use wathiq_chassis::status::{self, chain};
use wathiq_outbox::{AuditError, DatabaseFailure, IdempotencyError, OutboxError};

use crate::app::AppError;
use crate::clients::identity::IdentityError;
use crate::clients::payment::PaymentError;
use crate::domain::document::PAGE_UNBALANCED;
use crate::domain::transition::TransitionError;
use crate::pdf::PdfError;
use crate::storage::StorageError;
use crate::store::StoreError;

/// The domain of this service's reasons.
pub(super) const DOMAIN: ErrorDomain = ErrorDomain("signature.wathiq");

/// When whoever found something down may ask again.
const SOON: Duration = Duration::from_secs(2);
/// When whoever found a queue full may ask again.
const LATER: Duration = Duration::from_secs(10);

impl From<AppError> for Status {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Invalid(violations) => status::invalid_argument(DOMAIN, violations),
            AppError::NotFound { resource, id } => status::not_found(DOMAIN, resource, &id.to_string()),
            AppError::Transition(error) => transition(error),
            AppError::Refused {
                reason,
                subject,
                description,
            } => status::failed_precondition(DOMAIN, reason, subject, description),
            AppError::Denied {
                reason: "SESSION_ENDED",
                description,
            } => status::unauthenticated(DOMAIN, "SESSION_ENDED", description),
            AppError::Denied { reason, description } => {
                status::permission_denied(DOMAIN, reason, description)
            }
            AppError::Stale => status::aborted(DOMAIN, "REQUEST_CHANGED", error.to_string()),
            AppError::Idempotency(error) => idempotency(error),
            AppError::Store(error) => store(&error),
            AppError::Outbox(error) => outbox(&error),
            AppError::Audit(AuditError::Database(error)) => database(&error),
            AppError::Identity(error) => identity(error),
            AppError::Payment(PaymentError::Unavailable(_)) => unavailable("PAYMENT_UNAVAILABLE", &error),
            AppError::Payment(_) => status::internal(DOMAIN, &error),
            AppError::Storage(error) => storage(&error),
            AppError::Pdf(error) => pdf(&error),
            AppError::Taken { reason, description } => status::already_exists(DOMAIN, reason, description),
            AppError::KeyUnavailable(_) => unavailable("KEY_UNAVAILABLE", &error),
            AppError::SealCrypto(_) => status::internal(DOMAIN, &error),
            AppError::WorkLost => status::unavailable(DOMAIN, "WORK_INTERRUPTED", SOON, error.to_string()),
            AppError::UploadBroken(_) => status::aborted(DOMAIN, "UPLOAD_BROKEN", error.to_string()),
        }
    }
}

fn transition(error: TransitionError) -> Status {
    let text = error.to_string();
    match error {
        TransitionError::State { state, .. } => {
            let refused = status::failed_precondition(DOMAIN, "REQUEST_STATE", "legalisation_request", text);
            status::with_metadata(refused, &[("state", state.as_str().to_owned())])
        }
        TransitionError::FourEyes => status::permission_denied(DOMAIN, "FOUR_EYES", text),
        TransitionError::ComparisonDiffers => {
            status::failed_precondition(DOMAIN, "COMPARISON_DIFFERS", "comparison.result", text)
        }
        TransitionError::SpecimenMismatch => {
            status::failed_precondition(DOMAIN, "COMPARISON_MISMATCH", "comparison.specimen_version", text)
        }
        TransitionError::IntentMismatch => {
            status::failed_precondition(DOMAIN, "INTENT_MISMATCH", "legalisation_request", text)
        }
        TransitionError::NotExpired => status::internal(DOMAIN, &error),
    }
}

fn idempotency(error: IdempotencyError) -> Status {
    match error {
        IdempotencyError::RequestIdReused { .. } => {
            status::already_exists(DOMAIN, "REQUEST_ID_REUSED", error.to_string())
        }
        IdempotencyError::Database(error) => database(&error),
        IdempotencyError::NotClaimed { .. } => status::internal(DOMAIN, &error),
    }
}

fn store(error: &StoreError) -> Status {
    match error {
        StoreError::Database(error) => database(error),
        StoreError::LostRace { .. } => status::aborted(DOMAIN, "LOST_RACE", error.to_string()),
        StoreError::Inconsistent { .. } => status::internal(DOMAIN, error),
    }
}

fn outbox(error: &OutboxError) -> Status {
    match error {
        OutboxError::SequenceTaken { .. } => status::aborted(DOMAIN, "LOST_RACE", error.to_string()),
        OutboxError::Database(error) => database(error),
        OutboxError::TooLarge { .. } => status::internal(DOMAIN, error),
    }
}

pub(super) fn database(error: &sqlx::Error) -> Status {
    match DatabaseFailure::of(error) {
        DatabaseFailure::LostRace => status::aborted(DOMAIN, "LOST_RACE", "a concurrent change won"),
        DatabaseFailure::TimedOut | DatabaseFailure::Unreachable | DatabaseFailure::Full => {
            unavailable("DATABASE_UNAVAILABLE", error)
        }
        DatabaseFailure::Wrong => status::internal(DOMAIN, error),
    }
}

fn identity(error: IdentityError) -> Status {
    match error {
        IdentityError::NotFound(resource) => status::not_found(DOMAIN, resource, ""),
        IdentityError::Refused(refusal) => match status::reason(&refusal).as_deref() {
            // That identity does not serve this process is nothing the caller can change.
            Some("CLIENT_NOT_ALLOWED") | None => status::internal(DOMAIN, &*refusal),
            Some(_) => *refusal,
        },
        IdentityError::Unavailable(_) => unavailable("IDENTITY_UNAVAILABLE", &error),
        IdentityError::Unusable(_) => status::internal(DOMAIN, &error),
    }
}

fn storage(error: &StorageError) -> Status {
    match error {
        StorageError::Full(_) => unavailable("STORAGE_FULL", error),
        StorageError::Unavailable(_) => unavailable("STORAGE_UNAVAILABLE", error),
        StorageError::NotFound { .. } => status::internal(DOMAIN, error),
    }
}

fn pdf(error: &PdfError) -> Status {
    match error {
        PdfError::TooComplex { .. } | PdfError::Crashed { .. } => {
            status::failed_precondition(DOMAIN, "PDF_TOO_COMPLEX", "document", error.to_string())
        }
        PdfError::Refused(refusal) if refusal.reason == PAGE_UNBALANCED => {
            status::failed_precondition(DOMAIN, PAGE_UNBALANCED, "document", error.to_string())
        }
        PdfError::Refused(_) => {
            status::failed_precondition(DOMAIN, "PDF_REFUSED", "document", error.to_string())
        }
        PdfError::PageOutOfRange => {
            status::failed_precondition(DOMAIN, "PAGE_UNKNOWN", "document", error.to_string())
        }
        PdfError::Impossible(_) => status::internal(DOMAIN, error),
        PdfError::Busy { .. } => {
            status::resource_exhausted(DOMAIN, "PDF_WORKERS_BUSY", LATER, error.to_string())
        }
        PdfError::Unavailable(_) => unavailable("PDF_WORKER_UNAVAILABLE", error),
    }
}

/// Something this call needs is down: logged here, once.
pub(super) fn unavailable(reason: &'static str, error: &(dyn Error + 'static)) -> Status {
    tracing::warn!(
        event = "rpc.dependency_down",
        reason,
        error = chain(error),
        "a call failed for a dependency"
    );
    status::unavailable(
        DOMAIN,
        reason,
        SOON,
        "something this call needs is down for the moment",
    )
}
