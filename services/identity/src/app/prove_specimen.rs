use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};

use super::staff::Staff;
use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::person::Proof;
use crate::domain::refusal::Refusal;
use crate::domain::specimen::SpecimenVersion;
use crate::domain::vocabulary::{OfferedService, ProofMethod, Role};
use crate::events::publish;
use crate::store::{offices, people, specimens};

/// Which specimen was drawn by whom, at which office.
pub struct SpecimenProof {
    pub office_id: Uuid,
    pub person_id: Uuid,
    pub version: i32,
}

/// Records that a specimen was drawn by the proved person: from then on it counts.
///
/// # Errors
/// [`Refusal::RoleRequired`], [`Refusal::OfficeNotFound`], [`Refusal::ServiceNotOffered`], [`Refusal::PersonNotFound`],
/// [`Refusal::PersonNotProved`], [`Refusal::SpecimenNotFound`], [`Refusal::OwnIdentity`], [`Refusal::SpecimenProved`].
pub async fn prove_specimen<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    input: SpecimenProof,
    reply: impl FnOnce(&SpecimenVersion) -> R,
) -> Result<R, Error> {
    let now = app.ambient.now();
    let mut work = begin!(app, command);
    let staff = Staff::of(work.conn(), app, caller).await?;
    staff.require(input.office_id, Role::Agent)?;
    let office = offices::find(work.conn(), input.office_id)
        .await?
        .ok_or(Refusal::OfficeNotFound)?;
    office.require_offers(OfferedService::IdentityProof, civil_date(now))?;
    let person = people::find(work.conn(), input.person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
    person.require_proved()?;
    let specimen = specimens::lock(work.conn(), person.id)
        .await?
        .ok_or(Refusal::SpecimenNotFound)?;
    let version = specimens::find(work.conn(), person.id, input.version)
        .await?
        .ok_or(Refusal::SpecimenNotFound)?;
    let proof = Proof {
        method: ProofMethod::InPerson,
        office_id: Some(office.id),
        official_id: Some(staff.person_id),
        at: now,
    };
    let (specimen, version, fact) = specimen.prove(version, proof)?;
    specimens::save(work.conn(), &specimen).await?;
    specimens::save_proof(work.conn(), specimen.id, &version).await?;
    let details = json!({ "version": version.version, "office_id": office.id });
    work.audit("specimen.prove", ("specimen", specimen.id), details)
        .await?;
    work.event(publish::specimen(&specimen, fact)).await?;
    work.finish(reply(&version)).await
}
