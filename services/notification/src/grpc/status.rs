//! The one mapping of errors to statuses.

use std::time::Duration;

use tonic::Status;
use wathiq_chassis::ErrorDomain;
use wathiq_chassis::status::{self, chain};

use crate::app::list_messages::ListError;

/// The domain of this service's reasons.
pub(super) const DOMAIN: ErrorDomain = ErrorDomain("notification.wathiq");

/// When whoever found the database down may ask again.
const SOON: Duration = Duration::from_secs(2);

impl From<ListError> for Status {
    fn from(error: ListError) -> Self {
        match error {
            ListError::NotAdministrator => {
                status::permission_denied(DOMAIN, "PLATFORM_ADMINISTRATOR_REQUIRED", error.to_string())
            }
            ListError::Unavailable(_) => {
                tracing::warn!(
                    event = "rpc.dependency_down",
                    error = chain(&error),
                    "a call failed for the database"
                );
                status::unavailable(
                    DOMAIN,
                    "DATABASE_UNAVAILABLE",
                    SOON,
                    "the database does not answer for the moment",
                )
            }
            ListError::Store(error) => status::internal(DOMAIN, &error),
        }
    }
}
