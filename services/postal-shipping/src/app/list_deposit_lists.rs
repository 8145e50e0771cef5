use uuid::Uuid;
use wathiq_chassis::Caller;

use super::{App, Error, staff};
use crate::domain::deposit_list::DepositList;
use crate::store::deposit_lists;

/// Deposit lists of the caller's office, newest first.
///
/// # Errors
/// [`Error::NotFound`] at another office.
pub async fn list_deposit_lists(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    before: Option<Uuid>,
    rows: i64,
) -> Result<Vec<DepositList>, Error> {
    staff::at_office(caller, office_id)?;
    let mut conn = app.pool.acquire().await?;
    Ok(deposit_lists::list(&mut conn, office_id, before, rows).await?)
}
