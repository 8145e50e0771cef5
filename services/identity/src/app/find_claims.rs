use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::{AuditEntry, audit};

use super::staff::Staff;
use super::{App, Command, Error};
use crate::domain::identity_document::IdentityDocument;
use crate::domain::vocabulary::Role;
use crate::store::people::{self, Claimant};

const MOST: i64 = 20;

/// People who claim a document, for an agent with the card in hand. That someone looked is noted.
///
/// # Errors
/// [`crate::domain::refusal::Refusal::RoleRequired`].
pub async fn find_claims(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    document: &IdentityDocument,
) -> Result<Vec<Claimant>, Error> {
    let mut transaction = app.pool.begin().await?;
    let staff = Staff::of(&mut transaction, app, caller).await?;
    staff.require(office_id, Role::Agent)?;
    let claimants = people::claimants(&mut transaction, document, MOST).await?;
    let found: Vec<Uuid> = claimants.iter().map(|claimant| claimant.person.id).collect();
    let principal = Command::principal_of(caller);
    let entry = AuditEntry {
        person_id: Some(staff.person_id),
        principal: &principal,
        action: "person.find_claims",
        aggregate: "office",
        aggregate_id: office_id,
        outcome: "done",
        reason: None,
        details: json!({ "found": found }),
    };
    audit::record(&mut transaction, &app.ambient, entry).await?;
    transaction.commit().await?;
    Ok(claimants)
}
