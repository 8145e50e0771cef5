use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};

use super::staff::Staff;
use super::work::begin;
use super::{App, Command, Error, Reply};
use crate::domain::office::{Office, OfficeDetails};
use crate::domain::refusal::Refusal;
use crate::events::publish;
use crate::store::offices;

/// Opens an office: a platform administrator, or an administrator of the parent or above it.
///
/// # Errors
/// [`Refusal::RoleRequired`], [`Refusal::OfficeNotFound`], [`Refusal::OfficeClosed`], [`Refusal::OfficeCodeTaken`],
/// [`Error::Invalid`] for a kind that cannot stand below its parent.
pub async fn create_office<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (details, parent_id): (OfficeDetails, Option<Uuid>),
    reply: impl FnOnce(&Office) -> R,
) -> Result<R, Error> {
    let today = civil_date(app.ambient.now());
    let mut work = begin!(app, command);
    let staff = Staff::of(work.conn(), app, caller).await?;
    match parent_id {
        None => staff.require_platform_administrator()?,
        Some(parent_id) => {
            staff.require_administrator(work.conn(), parent_id).await?;
            let parent = offices::lock(work.conn(), parent_id)
                .await?
                .ok_or(Refusal::OfficeNotFound)?;
            if !parent.active.contains(today) {
                return Err(Refusal::OfficeClosed.into());
            }
            if !details.kind.may_stand_below(parent.details.kind) {
                return Err(Error::field(
                    "kind",
                    "PARENT_KIND",
                    "this kind cannot stand below its parent",
                ));
            }
        }
    }
    let (office, fact) = Office::open(app.ambient.uuid_v7(), parent_id, details, today);
    if let Err(error) = offices::insert(work.conn(), &office).await {
        return Err(match error.constraint() {
            Some("office_code_key") => Refusal::OfficeCodeTaken.into(),
            _ => error.into(),
        });
    }
    work.audit("office.open", ("office", office.id), json!({}))
        .await?;
    work.event(publish::office(&office, &fact)).await?;
    work.finish(reply(&office)).await
}
