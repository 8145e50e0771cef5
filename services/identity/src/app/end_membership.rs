use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::staff::Staff;
use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::membership::Membership;
use crate::domain::refusal::Refusal;
use crate::events::publish;
use crate::store::memberships;

/// Ends a membership at once. To who administers another office it is unknown.
///
/// # Errors
/// [`Refusal::MembershipNotFound`], [`Refusal::MembershipEnded`].
pub async fn end_membership<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    id: Uuid,
    reply: impl FnOnce(&Membership) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let staff = Staff::of(work.conn(), app, caller).await?;
    let membership = memberships::lock(work.conn(), id)
        .await?
        .ok_or(Refusal::MembershipNotFound)?;
    match staff
        .require_administrator(work.conn(), membership.office_id)
        .await
    {
        Err(Error::Refused(Refusal::RoleRequired)) => return Err(Refusal::MembershipNotFound.into()),
        other => other?,
    }
    let (membership, fact) = membership.end(app.ambient.now())?;
    memberships::save_end(work.conn(), &membership).await?;
    work.audit("membership.end", ("membership", id), json!({}))
        .await?;
    work.event(publish::membership(&membership, fact)).await?;
    work.finish(reply(&membership)).await
}
