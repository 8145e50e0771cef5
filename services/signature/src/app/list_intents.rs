//! An officer's open intents, with the digests to confirm.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::intent::SealIntent;
use crate::domain::role::OFFICER;
use crate::store::intents;

/// Lists the caller's open intents at an office after `after`, oldest first.
///
/// # Errors
/// [`AppError`].
pub async fn list_intents(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<SealIntent>, AppError> {
    authorise::staff(caller)?;
    if !caller.holds(office_id, OFFICER) {
        return Err(AppError::NotFound {
            resource: "office",
            id: office_id,
        });
    }
    let filter = intents::Filter {
        office_id,
        officer_id: caller.person_id,
        after,
        limit,
    };
    let mut conn = app.pool.acquire().await?;
    Ok(intents::open_of(&mut conn, &filter).await?)
}
