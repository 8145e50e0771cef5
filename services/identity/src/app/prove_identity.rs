use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};

use super::staff::Staff;
use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::person::{CivilIdentity, Proof};
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::{OfferedService, ProofMethod, Role};
use crate::events::publish;
use crate::store::{offices, people};

/// What an agent read on the card in hand.
pub struct IdentityProof {
    pub office_id: Uuid,
    pub person_id: Uuid,
    pub civil: CivilIdentity,
}

/// Binds an identity document to a person. The person's sessions go on; their next token says that they are proved.
///
/// # Errors
/// [`Refusal::RoleRequired`], [`Refusal::OfficeNotFound`], [`Refusal::ServiceNotOffered`], [`Refusal::PersonNotFound`],
/// [`Refusal::OwnIdentity`], [`Refusal::CivilIdentityDiffers`], [`Refusal::DocumentProvedElsewhere`].
pub async fn prove_identity<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    input: IdentityProof,
    reply: impl FnOnce(&Proof) -> R,
) -> Result<R, Error> {
    let now = app.ambient.now();
    let mut work = begin!(app, command);
    let staff = Staff::of(work.conn(), app, caller).await?;
    staff.require(input.office_id, Role::Agent)?;
    let office = offices::find(work.conn(), input.office_id)
        .await?
        .ok_or(Refusal::OfficeNotFound)?;
    office.require_offers(OfferedService::IdentityProof, civil_date(now))?;
    let person = people::lock(work.conn(), input.person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
    let proof = Proof {
        method: ProofMethod::InPerson,
        office_id: Some(office.id),
        official_id: Some(staff.person_id),
        at: now,
    };
    let (person, fact) = person.prove(input.civil, proof.clone())?;
    if let Err(error) = people::save(work.conn(), &person).await {
        return Err(match error.constraint() {
            Some("person_proved_document") => Refusal::DocumentProvedElsewhere.into(),
            _ => error.into(),
        });
    }
    people::keep_proof(work.conn(), &person).await?;
    work.audit(
        "person.prove_identity",
        ("person", person.id),
        json!({ "office_id": office.id }),
    )
    .await?;
    work.event(publish::person(&person, fact)).await?;
    work.finish(reply(&proof)).await
}
