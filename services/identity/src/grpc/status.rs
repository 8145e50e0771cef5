//! The only place where errors become statuses.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wathiq_chassis::status;

use super::ERRORS;
use crate::app::Error;
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
    match database_error(error) {
        Some(Database::Unreachable) => {
            let chain = status::chain(error);
            tracing::warn!(
                event = "database.unavailable",
                error = chain,
                "the database does not answer"
            );
            status::unavailable(
                ERRORS,
                "DATABASE_UNAVAILABLE",
                RETRY_AFTER,
                "the database does not answer",
            )
        }
        Some(Database::Busy) => lost_race(),
        None => status::internal(ERRORS, error),
    }
}

fn lost_race() -> Status {
    status::aborted(
        ERRORS,
        "CONCURRENT_CHANGE",
        "another request changed the same thing; try again",
    )
}

enum Database {
    Unreachable,
    /// Deadlock, serialisation failure, lock or statement timeout.
    Busy,
}

fn database_error(error: &(dyn std::error::Error + 'static)) -> Option<Database> {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let cause = chain
        .filter_map(|error| error.downcast_ref::<sqlx::Error>())
        .next()?;
    match cause {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => {
            Some(Database::Unreachable)
        }
        sqlx::Error::Database(database) => match database.code().as_deref() {
            Some("40001" | "40P01" | "55P03" | "57014") => Some(Database::Busy),
            // Shutting down, starting up, out of connections, closed to connections.
            Some("57P01" | "57P02" | "57P03" | "53300" | "55000") => Some(Database::Unreachable),
            _ => None,
        },
        _ => None,
    }
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
