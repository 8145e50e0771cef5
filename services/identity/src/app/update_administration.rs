use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;

use super::staff::Staff;
use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::administration::{Administration, AdministrationChange};
use crate::domain::refusal::Refusal;
use crate::events::publish;
use crate::store::administrations;

/// Changes names or end date. `version` is the one the caller saw, where it says.
///
/// # Errors
/// [`Refusal::RoleRequired`], [`Refusal::AdministrationNotFound`], [`Refusal::EtagStale`], [`Error::Invalid`].
pub async fn update_administration<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (id, change, version): (Uuid, AdministrationChange, Option<i64>),
    reply: impl FnOnce(&Administration) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    Staff::of(work.conn(), app, caller)
        .await?
        .require_platform_administrator()?;
    let administration = administrations::lock(work.conn(), id)
        .await?
        .ok_or(Refusal::AdministrationNotFound)?;
    if version.is_some_and(|seen| seen != administration.version) {
        return Err(Refusal::EtagStale.into());
    }
    let Some((administration, fact)) = administration.change(change) else {
        return Err(Error::field(
            "enrolled_to",
            "BEFORE_BEGINNING",
            "the end lies before the beginning",
        ));
    };
    administrations::save(work.conn(), &administration).await?;
    work.audit("administration.update", ("administration", id), json!({}))
        .await?;
    work.event(publish::administration(&administration, fact)).await?;
    work.finish(reply(&administration)).await
}
