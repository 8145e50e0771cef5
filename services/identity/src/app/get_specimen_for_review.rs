use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::{AuditEntry, audit};

use super::staff::Staff;
use super::{App, Error};
use crate::domain::refusal::Refusal;
use crate::domain::specimen::SpecimenVersion;
use crate::domain::vocabulary::Role;
use crate::store::specimens;

/// A counting specimen for an agent. That the agent's office has an open request of this citizen is checked by the service
/// that asks, which owns the requests; that someone looked is noted here. Version 0 is the newest that counts.
///
/// # Errors
/// [`Refusal::RoleRequired`], [`Refusal::SpecimenNotFound`].
pub async fn get_specimen_for_review(
    app: &App,
    caller: &Caller,
    service: &str,
    (person_id, version): (Uuid, i32),
) -> Result<(SpecimenVersion, Vec<u8>), Error> {
    let mut transaction = app.pool.begin().await?;
    let staff = Staff::of(&mut transaction, app, caller).await?;
    staff.require_anywhere(Role::Agent)?;
    let found = match version {
        0 => specimens::newest_counting(&mut transaction, person_id).await?,
        version => specimens::find(&mut transaction, person_id, version).await?,
    };
    let found = found
        .filter(|version| version.proof.is_some())
        .ok_or(Refusal::SpecimenNotFound)?;
    let image = specimens::image(&mut transaction, person_id, found.version)
        .await?
        .ok_or(Refusal::SpecimenNotFound)?;
    let principal = format!("service:{service}");
    let entry = AuditEntry {
        person_id: Some(staff.person_id),
        principal: &principal,
        action: "specimen.review",
        aggregate: "person",
        aggregate_id: person_id,
        outcome: "done",
        reason: None,
        details: json!({ "version": found.version }),
    };
    audit::record(&mut transaction, &app.ambient, entry).await?;
    transaction.commit().await?;
    Ok((found, image))
}
