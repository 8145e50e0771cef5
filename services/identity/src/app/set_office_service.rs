use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};

use super::staff::Staff;
use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::office::{Office, ServicePeriod};
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Word;
use crate::events::publish;
use crate::store::offices;

/// Opens a service at an office for a period, or moves the end of one that begins on the same day.
///
/// # Errors
/// [`Refusal::RoleRequired`], [`Refusal::OfficeNotFound`], [`Refusal::OfficeClosed`], [`Refusal::ServicePeriodPast`],
/// [`Refusal::ServicePeriodOverlaps`].
pub async fn set_office_service<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (office_id, offer): (Uuid, ServicePeriod),
    reply: impl FnOnce(&Office) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let staff = Staff::of(work.conn(), app, caller).await?;
    staff.require_administrator(work.conn(), office_id).await?;
    let office = offices::lock(work.conn(), office_id)
        .await?
        .ok_or(Refusal::OfficeNotFound)?;
    let (office, fact) = office.set_service(offer, civil_date(app.ambient.now()))?;
    offices::save_service(work.conn(), &office, offer).await?;
    let details =
        json!({ "service": offer.service.as_str(), "from": offer.period.from(), "to": offer.period.to() });
    work.audit("office.set_service", ("office", office.id), details)
        .await?;
    work.event(publish::office(&office, &fact)).await?;
    work.finish(reply(&office)).await
}
