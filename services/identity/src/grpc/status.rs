//! The only place where errors become statuses.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wathiq_chassis::status;
use wathiq_outbox::DatabaseFailure;

use super::ERRORS;
use crate::app::Error;
use crate::crypto::password_hash::PasswordHashError;
use crate::domain::refusal::{Class, Refusal};
use crate::store::StoreError;

const RETRY_AFTER: Duration = Duration::from_secs(2);

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violations) => status::invalid_argument(ERRORS, violations),
            Error::Refused(refusal) => refused(refusal),
            Error::Limited { reason, retry_after } => status::resource_exhausted(
                ERRORS,
                reason,
                retry_after,
                "too many attempts; wait and try again",
            ),
            Error::PasswordHash(PasswordHashError::Busy) => status::resource_exhausted(
                ERRORS,
                "SERVICE_BUSY",
                RETRY_AFTER,
                "too many passwords are being checked; try again in a moment",
            ),
            Error::RequestIdReused => {
                let text = "the request id was used before for another request";
                status::already_exists(ERRORS, "REQUEST_ID_REUSED", text)
            }
            Error::Store(StoreError::Lost { .. })
            | Error::Outbox(wathiq_outbox::OutboxError::SequenceTaken { .. }) => lost_race(),
            other => of_ours(&other),
        }
    }
}

fn refused(refusal: Refusal) -> Status {
    let (reason, text) = (refusal.reason(), refusal.to_string());
    match refusal.class() {
        Class::NotFound(resource) => {
            let mut details = ErrorDetails::with_error_info(reason, ERRORS.0, HashMap::new());
            details.set_resource_info(resource, "", "", "");
            Status::with_error_details(Code::NotFound, text, details)
        }
        Class::Precondition => status::failed_precondition(ERRORS, reason, "", text),
        Class::Stale => status::aborted(ERRORS, reason, text),
        Class::Taken => status::already_exists(ERRORS, reason, text),
        Class::Forbidden => status::permission_denied(ERRORS, reason, text),
        Class::Unauthenticated => status::unauthenticated(ERRORS, reason, text),
    }
}

/// What failed for a reason of ours, or of the database's.
fn of_ours(error: &Error) -> Status {
    match database_failure(error) {
        DatabaseFailure::Unreachable => {
            unavailable(error, "DATABASE_UNAVAILABLE", "the database does not answer")
        }
        DatabaseFailure::Full => unavailable(error, "STORAGE_FULL", "the database has no room left"),
        DatabaseFailure::LostRace | DatabaseFailure::TimedOut => lost_race(),
        DatabaseFailure::Wrong => status::internal(ERRORS, error),
    }
}

fn unavailable(error: &Error, reason: &'static str, text: &'static str) -> Status {
    let chain = status::chain(error);
    tracing::warn!(event = "database.unavailable", reason, error = chain, "{text}");
    status::unavailable(ERRORS, reason, RETRY_AFTER, text)
}

fn lost_race() -> Status {
    status::aborted(
        ERRORS,
        "CONCURRENT_CHANGE",
        "another request changed the same thing; try again",
    )
}

fn database_failure(error: &(dyn std::error::Error + 'static)) -> DatabaseFailure {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref::<sqlx::Error>())
        .map_or(DatabaseFailure::Wrong, DatabaseFailure::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_keeps_its_reason() {
        for refusal in Refusal::ALL {
            let status = Status::from(Error::from(*refusal));
            assert_eq!(status::reason(&status).as_deref(), Some(refusal.reason()));
            assert_eq!(
                status::error_info(&status).map(|info| info.domain).as_deref(),
                Some("identity.wathiq")
            );
        }
    }

    #[test]
    fn a_database_that_does_not_answer_is_unavailable() {
        let status = Status::from(Error::from(sqlx::Error::PoolTimedOut));
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status::reason(&status).as_deref(), Some("DATABASE_UNAVAILABLE"));
        assert_eq!(status::retry_after(&status), Some(RETRY_AFTER));
    }

    #[test]
    fn too_many_passwords_at_once_are_no_failure() {
        let status = Status::from(Error::from(PasswordHashError::Busy));
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(status::reason(&status).as_deref(), Some("SERVICE_BUSY"));
        assert_eq!(status::retry_after(&status), Some(RETRY_AFTER));
    }

    #[test]
    fn what_is_ours_says_nothing() {
        let inconsistent = StoreError::Inconsistent {
            table: "person",
            column: "email",
            id: "secret".to_owned(),
        };
        let status = Status::from(Error::from(inconsistent));
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("secret"));
    }
}
