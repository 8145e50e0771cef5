//! Lines are given to a member of the office, or to nobody.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;

use super::entry::{self, Entry};
use super::{Act, audit, finish};
use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, change};
use crate::domain::order::Order;
use crate::domain::role;
use crate::store::orders;

/// Assigns the lines, all or none. Nobody assigns their own order, or gets it.
///
/// # Errors
/// [`AppError`]: `OWN_ORDER`, `NOT_A_MEMBER` at `person_id`.
pub async fn assign_lines(
    app: &App,
    caller: &Caller,
    command: &Command,
    line_ids: &[Uuid],
    person: Option<Uuid>,
) -> Result<Vec<Entry>, AppError> {
    authorise::staff(caller)?;
    let offices = offices_of(app, caller, line_ids).await?;
    let members = async {
        for office_id in &offices {
            let Some(person) = person else { break };
            let member = Member {
                field: "person_id",
                person,
                roles: &[role::AGENT, role::OFFICER],
            };
            check_member(app, caller, *office_id, member).await?;
        }
        Ok(())
    };
    if let Prepared::New(mut transaction, ()) = idempotent::prepare(app, command, members).await? {
        for order in lock_orders(&mut transaction, caller, line_ids).await? {
            let lines: Vec<Uuid> = of_order(&order, line_ids);
            for id in &lines {
                if let Some(line) = order.line(*id) {
                    let act = Act {
                        action: "line.assign",
                        details: json!({ "to": person }),
                    };
                    audit(&mut transaction, app, caller, line, act).await?;
                }
            }
            change::change_locked(&mut transaction, app, order, |work| work.assign(&lines, person)).await?;
        }
        finish(transaction, command).await?;
    }
    let mut conn = app.pool.acquire().await?;
    entry::of_lines(&mut conn, line_ids, app.ambient.now()).await
}

/// The ids that are lines of this order.
pub fn of_order(order: &Order, line_ids: &[Uuid]) -> Vec<Uuid> {
    let ids = line_ids.iter().copied();
    ids.filter(|id| order.line(*id).is_some()).collect()
}

async fn offices_of(app: &App, caller: &Caller, line_ids: &[Uuid]) -> Result<Vec<Uuid>, AppError> {
    let mut conn = app.pool.acquire().await?;
    let entries = entry::of_lines(&mut conn, line_ids, app.ambient.now()).await?;
    check_all(
        caller,
        line_ids,
        entries.iter().map(|entry| (entry.line.id, entry.line.office_id)),
    )?;
    let mut offices: Vec<Uuid> = entries.iter().map(|entry| entry.line.office_id).collect();
    offices.sort_unstable();
    offices.dedup();
    Ok(offices)
}

fn check_all(
    caller: &Caller,
    line_ids: &[Uuid],
    found: impl Iterator<Item = (Uuid, Uuid)>,
) -> Result<(), AppError> {
    let own = authorise::offices_of(caller);
    let visible: Vec<Uuid> = found
        .filter(|(_, office)| own.contains(office))
        .map(|(line, _)| line)
        .collect();
    match line_ids.iter().find(|id| !visible.contains(id)) {
        Some(id) => Err(AppError::not_found("order_line", id)),
        None => Ok(()),
    }
}

/// Locks the orders of lines, by id, where every line is of an office of the caller's and none of an order of their own.
///
/// # Errors
/// [`AppError`]: `OWN_ORDER`; a line that is not there, or another office's, is not found.
pub async fn lock_orders(
    conn: &mut sqlx::PgConnection,
    caller: &Caller,
    line_ids: &[Uuid],
) -> Result<Vec<Order>, AppError> {
    let locked = lock_visible(conn, caller, line_ids).await?;
    locked
        .iter()
        .try_for_each(|order| authorise::not_own(caller, order))?;
    Ok(locked)
}

/// As [`lock_orders`], with those of the caller's own.
///
/// # Errors
/// [`AppError`]; a line that is not there, or another office's, is not found.
pub async fn lock_visible(
    conn: &mut sqlx::PgConnection,
    caller: &Caller,
    line_ids: &[Uuid],
) -> Result<Vec<Order>, AppError> {
    let pairs = orders::orders_of_lines(conn, line_ids).await?;
    let ids: Vec<Uuid> = pairs.iter().map(|(_, order)| *order).collect();
    let locked = orders::lock_all(conn, &ids).await?;
    let lines = locked.iter().flat_map(|order| &order.lines);
    check_all(caller, line_ids, lines.map(|line| (line.id, line.office_id)))?;
    Ok(locked)
}

/// Somebody whom a request names as member of an office.
pub struct Member {
    /// The field that names them.
    pub field: &'static str,
    pub person: Uuid,
    /// One of these is held.
    pub roles: &'static [&'static str],
}

/// Whether a person holds one of the roles at an office today.
///
/// # Errors
/// [`AppError`]: `NOT_A_MEMBER` at the field.
pub async fn check_member(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    member: Member,
) -> Result<(), AppError> {
    let Member { field, person, roles } = member;
    if person == caller.person_id && roles.iter().any(|role| caller.holds(office_id, role)) {
        return Ok(());
    }
    let today = civil_date(app.ambient.now());
    let memberships = app.identity.memberships(office_id).await?;
    let holds = |role: &&str| {
        memberships
            .iter()
            .any(|membership| membership.holds(person, role, today))
    };
    if roles.iter().any(holds) {
        return Ok(());
    }
    Err(AppError::invalid(
        field,
        "NOT_A_MEMBER",
        format!(
            "must be {} of the office today: choose one of its members, or have its administrator give this person the role",
            roles.join(" or ")
        ),
    ))
}
