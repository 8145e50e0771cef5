use serde_json::json;
use wathiq_chassis::{Caller, Surface};

use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::refusal::Refusal;
use crate::domain::specimen::{Specimen, SpecimenVersion, Strokes};
use crate::domain::specimen_image::SpecimenImage;
use crate::events::publish;
use crate::store::{people, specimens};

/// Deposits a new version of the caller's specimen.
///
/// # Errors
/// [`Refusal::WrongSurface`] in a staff session.
pub async fn deposit_specimen<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (image, strokes): (SpecimenImage, Strokes),
    reply: impl FnOnce(&SpecimenVersion) -> R,
) -> Result<R, Error> {
    if caller.surface != Surface::Citizen {
        return Err(Refusal::WrongSurface.into());
    }
    let mut work = begin!(app, command);
    let person = people::lock(work.conn(), caller.person_id)
        .await?
        .ok_or(Refusal::PersonNotFound)?;
    let specimen = specimens::lock(work.conn(), person.id)
        .await?
        .unwrap_or_else(|| Specimen::new(app.ambient.uuid_v7(), person.id));
    let (specimen, version, fact) = specimen.deposit(image.sha256(), app.ambient.now());
    specimens::save(work.conn(), &specimen).await?;
    specimens::insert_version(work.conn(), specimen.id, &version, &image, &strokes).await?;
    work.audit(
        "specimen.deposit",
        ("specimen", specimen.id),
        json!({ "version": version.version }),
    )
    .await?;
    work.event(publish::specimen(&specimen, fact)).await?;
    work.finish(reply(&version)).await
}
