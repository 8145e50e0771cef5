use serde_json::json;
use wathiq_chassis::Caller;

use super::staff::Staff;
use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::administration::{Administration, AdministrationFact};
use crate::domain::office::Period;
use crate::events::publish;
use crate::store::administrations;

/// Enrols an administration as a destination.
///
/// # Errors
/// [`crate::domain::refusal::Refusal::RoleRequired`].
pub async fn enrol_administration<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (name_ar, name_fr, enrolled): (String, String, Period),
    reply: impl FnOnce(&Administration) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    Staff::of(work.conn(), app, caller)
        .await?
        .require_platform_administrator()?;
    let administration = Administration {
        id: app.ambient.uuid_v7(),
        version: 1,
        name_ar,
        name_fr,
        enrolled,
        created_at: app.ambient.now(),
    };
    administrations::insert(work.conn(), &administration).await?;
    work.audit(
        "administration.enrol",
        ("administration", administration.id),
        json!({}),
    )
    .await?;
    work.event(publish::administration(
        &administration,
        AdministrationFact::Enrolled,
    ))
    .await?;
    work.finish(reply(&administration)).await
}
