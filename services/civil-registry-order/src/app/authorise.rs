//! Who may do what here.

use uuid::Uuid;
use wathiq_chassis::{Caller, Grant, Surface};

use crate::app::{App, AppError};
use crate::domain::order::Order;
use crate::domain::role;

const WRONG_SURFACE: AppError = AppError::Denied {
    reason: "WRONG_SURFACE",
    description: "this call is not for sessions of this surface",
};

/// The caller acts for themselves: with an account, or with a contact proved by codes.
///
/// # Errors
/// [`AppError::Denied`].
pub fn orderer(caller: &Caller) -> Result<(), AppError> {
    if caller.surface == Surface::Staff {
        return Err(WRONG_SURFACE);
    }
    Ok(())
}

/// The caller acts as a citizen with an account.
///
/// # Errors
/// [`AppError::Denied`].
pub fn citizen(caller: &Caller) -> Result<(), AppError> {
    if caller.surface == Surface::Citizen {
        return Ok(());
    }
    Err(WRONG_SURFACE)
}

/// The caller acts as an official.
///
/// # Errors
/// [`AppError::Denied`].
pub fn staff(caller: &Caller) -> Result<(), AppError> {
    if caller.surface == Surface::Staff {
        return Ok(());
    }
    Err(WRONG_SURFACE)
}

/// The caller administers the platform.
///
/// # Errors
/// [`AppError::Denied`].
pub fn platform(caller: &Caller) -> Result<(), AppError> {
    staff(caller)?;
    if caller.platform_administrator {
        return Ok(());
    }
    Err(AppError::Denied {
        reason: "ROLE_MISSING",
        description: "only administrators of the platform may do this",
    })
}

/// The caller works at the office, as agent or officer; an office where they do not is not found.
///
/// # Errors
/// [`AppError::Denied`], [`AppError::NotFound`].
pub fn works_at(caller: &Caller, office_id: Uuid) -> Result<(), AppError> {
    staff(caller)?;
    if caller.holds(office_id, role::AGENT) || caller.holds(office_id, role::OFFICER) {
        return Ok(());
    }
    Err(AppError::not_found("office", office_id))
}

/// The offices where the caller works, as agent or officer.
pub fn offices_of(caller: &Caller) -> Vec<Uuid> {
    let mut offices: Vec<Uuid> = caller
        .offices_with(role::AGENT)
        .chain(caller.offices_with(role::OFFICER))
        .collect();
    offices.sort_unstable();
    offices.dedup();
    offices
}

/// Asks identity whether the caller's session is live and whether they hold the role at the office at this moment.
///
/// # Errors
/// [`AppError::Denied`] with `SESSION_ENDED` or `ROLE_MISSING`, or identity's silence.
pub async fn live_role(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    role: &'static str,
) -> Result<(), AppError> {
    live_in(app, caller, office_id, &[role]).await
}

/// As [`live_role`], of any of several roles.
///
/// # Errors
/// As [`live_role`].
pub async fn live_in(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    roles: &[&'static str],
) -> Result<(), AppError> {
    let now = live_grants(app, caller).await?;
    if now
        .iter()
        .any(|grant| grant.office_id == office_id && roles.contains(&grant.role.as_str()))
    {
        return Ok(());
    }
    Err(AppError::Denied {
        reason: "ROLE_MISSING",
        description: "the role at this office is not held any more",
    })
}

/// Asks identity whether the caller's session is live, and which roles they hold at this moment.
///
/// # Errors
/// [`AppError::Denied`] with `SESSION_ENDED`, or identity's silence.
pub async fn live_grants(app: &App, caller: &Caller) -> Result<Vec<Grant>, AppError> {
    let now = app
        .identity
        .authorization(caller.person_id, caller.session_id)
        .await?;
    if now.session_live {
        return Ok(now.grants);
    }
    Err(AppError::Denied {
        reason: "SESSION_ENDED",
        description: "the session has ended",
    })
}

/// Nobody serves an order that they placed themselves.
///
/// # Errors
/// [`AppError::Denied`] with `OWN_ORDER`.
pub fn not_own(caller: &Caller, order: &Order) -> Result<(), AppError> {
    if order.person_id != caller.person_id {
        return Ok(());
    }
    Err(AppError::Denied {
        reason: "OWN_ORDER",
        description: "one's own order is served by somebody else",
    })
}
