//! What an official may do: an agent or officer at the office, in a staff session. Others find nothing there.

use uuid::Uuid;
use wathiq_chassis::{Caller, Surface};

use super::Error;

const ROLES: [&str; 2] = ["agent", "officer"];

/// Whether the caller works at this office.
///
/// # Errors
/// [`Error::Denied`] in another session than staff's.
pub fn works_at(caller: &Caller, office: Uuid) -> Result<bool, Error> {
    check_surface(caller)?;
    Ok(ROLES.iter().any(|role| caller.holds(office, role)))
}

/// The caller works at the office that a request names.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Denied`] in another session than staff's.
pub fn at_office(caller: &Caller, office: Uuid) -> Result<(), Error> {
    if works_at(caller, office)? {
        return Ok(());
    }
    Err(Error::NotFound {
        resource: "office",
        id: office.to_string(),
    })
}

/// The caller runs the platform.
///
/// # Errors
/// [`Error::Denied`].
pub fn platform_administrator(caller: &Caller) -> Result<(), Error> {
    check_surface(caller)?;
    if caller.platform_administrator {
        return Ok(());
    }
    Err(Error::Denied {
        reason: "ROLE_REQUIRED",
        description: "this is for administrators of the platform",
    })
}

fn check_surface(caller: &Caller) -> Result<(), Error> {
    if caller.surface == Surface::Staff {
        return Ok(());
    }
    Err(Error::Denied {
        reason: "WRONG_SURFACE",
        description: "this is for sessions of staff",
    })
}
