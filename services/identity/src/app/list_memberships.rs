use uuid::Uuid;
use wathiq_chassis::Caller;

use super::staff::Staff;
use super::{App, Error, Page, PageOf};
use crate::domain::membership::Membership;
use crate::store::memberships;

/// Memberships of an office that were not ended, for its members and who administers it: they
/// assign work to a colleague and name the officer who signed.
///
/// # Errors
/// [`crate::domain::refusal::Refusal::RoleRequired`].
pub async fn list_memberships(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    page: &Page,
) -> Result<PageOf<Membership>, Error> {
    let mut conn = app.pool.acquire().await?;
    Staff::of(&mut conn, app, caller)
        .await?
        .require_member(&mut conn, office_id)
        .await?;
    let rows = memberships::list(&mut conn, office_id, page.after()?, page.rows()).await?;
    Ok(page.of(rows, |membership| membership.id.to_string()))
}
