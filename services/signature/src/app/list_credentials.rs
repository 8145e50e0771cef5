//! The signing credentials of an office.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::credential::Credential;
use crate::domain::role::{ADMINISTRATOR, OFFICER};
use crate::store::credentials;

/// Lists credentials after `after`: all of them for an administrator, their own for an officer.
///
/// # Errors
/// [`AppError`].
pub async fn list_credentials(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Credential>, AppError> {
    authorise::staff(caller)?;
    let officer_id = if caller.holds(office_id, ADMINISTRATOR) {
        None
    } else if caller.holds(office_id, OFFICER) {
        Some(caller.person_id)
    } else {
        return Err(AppError::NotFound {
            resource: "office",
            id: office_id,
        });
    };
    let mut conn = app.pool.acquire().await?;
    Ok(credentials::list(
        &mut conn,
        &credentials::Filter {
            office_id,
            officer_id,
            after,
            limit,
        },
    )
    .await?)
}
