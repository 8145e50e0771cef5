//! The one mapping of errors to statuses.

use std::error::Error as StdError;
use std::time::Duration;

use tonic::Status;
use wathiq_chassis::ErrorDomain;
use wathiq_chassis::status::{self, chain};
use wathiq_outbox::{AuditError, DatabaseFailure, IdempotencyError, OutboxError};

use crate::app::Error;
use crate::domain::shipment::Refusal;
use crate::store::StoreError;

/// The domain of this service's reasons.
const DOMAIN: ErrorDomain = ErrorDomain("postal-shipping.wathiq");
/// When whoever found something down may ask again.
const SOON: Duration = Duration::from_secs(2);
/// Another range has to be allocated by a person.
const LATER: Duration = Duration::from_secs(600);

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violations) => status::invalid_argument(DOMAIN, violations),
            Error::NotFound { resource, id } => status::not_found(DOMAIN, resource, &id),
            Error::Refused(refusal) => refused(refusal),
            Error::Taken { reason, description } => status::already_exists(DOMAIN, reason, description),
            Error::Denied { reason, description } => status::permission_denied(DOMAIN, reason, description),
            Error::NumbersExhausted(_) => {
                status::resource_exhausted(DOMAIN, "NUMBER_RANGE_EXHAUSTED", LATER, error.to_string())
            }
            Error::NotSigned(error) => {
                status::unauthenticated(DOMAIN, "WEBHOOK_SIGNATURE_INVALID", error.to_string())
            }
            Error::Store(error) => store(&error),
            Error::Idempotency(error) => idempotency(error),
            Error::Outbox(error) => outbox(&error),
            Error::Audit(AuditError::Database(error)) => database(&error),
            Error::WorkLost => status::unavailable(DOMAIN, "WORK_INTERRUPTED", SOON, error.to_string()),
            Error::StoredResponse(_) | Error::Render(_) | Error::Barcode(_) | Error::Csv(_) => {
                status::internal(DOMAIN, &error)
            }
        }
    }
}

fn refused(refusal: Refusal) -> Status {
    let status = status::failed_precondition(DOMAIN, refusal.reason(), "shipment", refusal.to_string());
    match refusal {
        Refusal::State { id, state } => status::with_metadata(
            status,
            &[
                ("shipment_id", id.to_string()),
                ("state", state.as_str().to_owned()),
            ],
        ),
        Refusal::ClaimNotDue { id } | Refusal::NotHandedOver { id } => {
            status::with_metadata(status, &[("shipment_id", id.to_string())])
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

fn unavailable(reason: &'static str, error: &(dyn StdError + 'static)) -> Status {
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
