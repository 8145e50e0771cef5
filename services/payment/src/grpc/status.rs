//! The one mapping of errors to statuses.

use std::error::Error;
use std::time::Duration;

use tonic::Status;
use wathiq_chassis::ErrorDomain;
use wathiq_chassis::status::{self, chain};
use wathiq_outbox::{AuditError, DatabaseFailure, IdempotencyError, OutboxError};

use crate::app::AppError;
use crate::domain::refusal::Refusal;
use crate::store::StoreError;

/// The domain of this service's reasons.
pub(super) const DOMAIN: ErrorDomain = ErrorDomain("payment.wathiq");

/// When whoever found something down may ask again.
const SOON: Duration = Duration::from_secs(2);

/// When whoever used up a day's quota may ask again.
const QUOTA_PASSES: Duration = Duration::from_hours(1);

impl From<AppError> for Status {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Invalid(violations) => status::invalid_argument(DOMAIN, violations),
            AppError::NotFound { id } => status::not_found(DOMAIN, "payable", &id),
            AppError::Refused(refusal) => refused(refusal),
            AppError::Exists => status::already_exists(DOMAIN, "PAYABLE_EXISTS", error.to_string()),
            AppError::Denied { reason, description } => {
                status::permission_denied(DOMAIN, reason, description)
            }
            AppError::Idempotency(error) => idempotency(error),
            AppError::Store(error) => store(&error),
            AppError::Outbox(error) => outbox(&error),
            AppError::Audit(AuditError::Database(error)) => database(&error),
            AppError::Provider { .. } => unavailable("PROVIDER_UNAVAILABLE", &error),
            AppError::Receipt(_) => status::internal(DOMAIN, &error),
            AppError::WorkLost => status::unavailable(DOMAIN, "WORK_INTERRUPTED", SOON, error.to_string()),
        }
    }
}

fn refused(refusal: Refusal) -> Status {
    let (reason, text) = (refusal.reason(), refusal.to_string());
    match refusal {
        Refusal::RefundExists => status::already_exists(DOMAIN, reason, text),
        Refusal::TextMessageQuota => status::resource_exhausted(DOMAIN, reason, QUOTA_PASSES, text),
        Refusal::RefundTooMuch => status::failed_precondition(DOMAIN, reason, "amount_centimes", text),
        _ => status::failed_precondition(DOMAIN, reason, "payable", text),
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

fn database(error: &sqlx::Error) -> Status {
    match DatabaseFailure::of(error) {
        DatabaseFailure::LostRace => status::aborted(DOMAIN, "LOST_RACE", "a concurrent change won"),
        DatabaseFailure::TimedOut | DatabaseFailure::Unreachable | DatabaseFailure::Full => {
            unavailable("DATABASE_UNAVAILABLE", error)
        }
        DatabaseFailure::Wrong => status::internal(DOMAIN, error),
    }
}

/// Something this call needs is down: logged here, once.
fn unavailable(reason: &'static str, error: &(dyn Error + 'static)) -> Status {
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
