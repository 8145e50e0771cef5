//! The one mapping of errors to statuses.

use std::error::Error;
use std::time::Duration;

use tonic::Status;
use wathiq_chassis::ErrorDomain;
use wathiq_chassis::status::{self, chain};
use wathiq_outbox::{AuditError, DatabaseFailure, IdempotencyError, OutboxError};

use crate::app::AppError;
use crate::clients::ClientError;
use crate::domain::order::work::WorkError;
use crate::storage::StorageError;
use crate::store::StoreError;

/// The domain of this service's reasons.
pub(super) const DOMAIN: ErrorDomain = ErrorDomain("civil-registry-order.wathiq");

/// When whoever found something down may ask again.
const SOON: Duration = Duration::from_secs(2);

impl From<AppError> for Status {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Invalid(violations) => status::invalid_argument(DOMAIN, violations),
            AppError::NotFound { resource, id } => status::not_found(DOMAIN, resource, &id),
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
            AppError::Work(error) => work(&error),
            AppError::Stale => status::aborted(DOMAIN, "ORDER_CHANGED", error.to_string()),
            AppError::Idempotency(error) => idempotency(error),
            AppError::Store(error) => store(&error),
            AppError::Outbox(error) => outbox(&error),
            AppError::Audit(AuditError::Database(error)) => database(&error),
            AppError::Client(error) => client(error),
            AppError::Storage(error) => storage(&error),
            AppError::Taken { reason, description } => status::already_exists(DOMAIN, reason, description),
            AppError::Draw(error) => status::internal(DOMAIN, &error),
            AppError::UploadBroken(_) => status::aborted(DOMAIN, "UPLOAD_BROKEN", error.to_string()),
        }
    }
}

fn work(error: &WorkError) -> Status {
    let text = error.to_string();
    match error {
        WorkError::Step(step) => {
            let refused = status::failed_precondition(DOMAIN, "LINE_STATE", "order_line", text);
            status::with_metadata(refused, &[("state", step.state.as_str().to_owned())])
        }
        WorkError::LineUnknown(id) => status::not_found(DOMAIN, "order_line", &id.to_string()),
        WorkError::InProduction(_) => {
            status::failed_precondition(DOMAIN, "LINE_IN_PRODUCTION", "order_line", text)
        }
        WorkError::PartlyUnpaid => status::failed_precondition(DOMAIN, "ORDER_NOT_PAID", "order", text),
        WorkError::Prepared(_) => {
            status::failed_precondition(DOMAIN, "DOCUMENT_PREPARED", "order_line", text)
        }
        WorkError::NotEntitled(_) => {
            status::failed_precondition(DOMAIN, "ENTITLEMENT_NOT_CHECKED", "order_line", text)
        }
        WorkError::AddressNotAsked => status::failed_precondition(DOMAIN, "ADDRESS_NOT_ASKED", "order", text),
        WorkError::OwnOrder(_) => status::permission_denied(DOMAIN, "OWN_ORDER", text),
        WorkError::NoteNeeded(_) => status::failed_precondition(DOMAIN, "NOTE_REQUIRED", "order_line", text),
        WorkError::Withdrawing(_) => {
            status::failed_precondition(DOMAIN, "DOCUMENT_BEING_WITHDRAWN", "order_line", text)
        }
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

fn client(error: ClientError) -> Status {
    match error {
        ClientError::NotFound { resource, .. } => status::not_found(DOMAIN, resource, ""),
        ClientError::Refused { source, .. } => match status::reason(&source).as_deref() {
            // That the other service does not serve this process is nothing the caller can change.
            Some("CLIENT_NOT_ALLOWED") | None => status::internal(DOMAIN, &*source),
            Some(_) => *source,
        },
        ClientError::Unavailable { service, .. } => unavailable(silent(service), &error),
        ClientError::Unusable { .. } => status::internal(DOMAIN, &error),
    }
}

fn silent(service: &str) -> &'static str {
    match service {
        "identity" => "IDENTITY_UNAVAILABLE",
        "payment" => "PAYMENT_SERVICE_UNAVAILABLE",
        "signature" => "SIGNATURE_SERVICE_UNAVAILABLE",
        _ => "POSTAL_SERVICE_UNAVAILABLE",
    }
}

fn storage(error: &StorageError) -> Status {
    match error {
        StorageError::Full(_) => unavailable("STORAGE_FULL", error),
        StorageError::Unavailable(_) => unavailable("STORAGE_UNAVAILABLE", error),
        StorageError::NotFound { .. } => status::internal(DOMAIN, error),
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
