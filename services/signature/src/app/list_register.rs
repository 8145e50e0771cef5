//! The register of legalisations of an office and year.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::register::RegisterEntry;
use crate::domain::role::{ADMINISTRATOR, AGENT, OFFICER};
use crate::store::register;

/// Lists entries after number `after`, in order.
///
/// # Errors
/// [`AppError`].
pub async fn list_register(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    year: i32,
    after: i32,
    limit: i64,
) -> Result<Vec<RegisterEntry>, AppError> {
    authorise::staff(caller)?;
    if ![AGENT, OFFICER, ADMINISTRATOR]
        .into_iter()
        .any(|role| caller.holds(office_id, role))
    {
        return Err(AppError::NotFound {
            resource: "office",
            id: office_id,
        });
    }
    let mut conn = app.pool.acquire().await?;
    Ok(register::list(&mut conn, office_id, year, after, limit).await?)
}
