use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};

use super::staff::Staff;
use super::work::{Work, begin};
use super::{App, Command, Error, Reply};
use crate::domain::contact::Email;
use crate::domain::membership::{Membership, MembershipFact, NewMembership};
use crate::domain::person::Person;
use crate::domain::refusal::Refusal;
use crate::domain::vocabulary::Word;
use crate::events::publish;
use crate::store::{memberships, offices, people};

/// How the person is named.
pub enum Named {
    Id(Uuid),
    Email(Email),
}

/// Gives a proved person a role. A deputy stands in for a member with the same role and has an end date.
///
/// # Errors
/// [`Refusal::RoleRequired`], [`Refusal::OfficeNotFound`], [`Refusal::OfficeClosed`], [`Refusal::PersonNotFound`],
/// [`Refusal::PersonNotProved`], [`Refusal::MembershipExists`], [`Refusal::MembershipNotFound`] and
/// the refusals of [`Membership::accepts_deputy`].
pub async fn grant_membership<R: Reply>(
    app: &App,
    command: &Command,
    caller: &Caller,
    (named, wanted): (Named, NewMembership),
    reply: impl FnOnce(&Membership) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let staff = Staff::of(work.conn(), app, caller).await?;
    staff.require_administrator(work.conn(), wanted.office_id).await?;
    let office = offices::find(work.conn(), wanted.office_id)
        .await?
        .ok_or(Refusal::OfficeNotFound)?;
    if office
        .active
        .to()
        .is_some_and(|to| to < civil_date(app.ambient.now()))
    {
        return Err(Refusal::OfficeClosed.into());
    }
    let person = lock_person(&mut work, named).await?;
    person.require_proved()?;
    if let Some(member) = wanted.deputy_for {
        let member = memberships::lock(work.conn(), member)
            .await?
            .ok_or(Refusal::MembershipNotFound)?;
        member.accepts_deputy(person.id, &wanted)?;
    }
    if memberships::exists(work.conn(), person.id, office.id, wanted.role, wanted.period).await? {
        return Err(Refusal::MembershipExists.into());
    }
    let membership = Membership {
        id: app.ambient.uuid_v7(),
        version: 1,
        office_id: office.id,
        person_id: person.id,
        role: wanted.role,
        deputy_for: wanted.deputy_for,
        period: wanted.period,
        ended_at: None,
        display_name: person.civil.name_latin.display(),
    };
    memberships::insert(work.conn(), &membership).await?;
    let details = json!({ "office_id": office.id, "person_id": person.id, "role": wanted.role.as_str() });
    work.audit("membership.grant", ("membership", membership.id), details)
        .await?;
    work.event(publish::membership(&membership, MembershipFact::Granted))
        .await?;
    work.finish(reply(&membership)).await
}

async fn lock_person(work: &mut Work<'_>, named: Named) -> Result<Person, Error> {
    let id = match named {
        Named::Id(id) => id,
        Named::Email(email) => {
            people::find_by_email(work.conn(), &email)
                .await?
                .ok_or(Refusal::PersonNotFound)?
                .id
        }
    };
    Ok(people::lock(work.conn(), id)
        .await?
        .ok_or(Refusal::PersonNotFound)?)
}
