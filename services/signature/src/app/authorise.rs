//! Who may do what here. Decided on the token, and asked anew at identity before what cannot be undone.

use sha2::{Digest, Sha256};
use uuid::Uuid;
use wathiq_chassis::{Caller, Surface};

use crate::app::{App, AppError};

/// The caller acts as a citizen, on the citizens' surface.
///
/// # Errors
/// [`AppError::Denied`].
pub fn citizen(caller: &Caller) -> Result<(), AppError> {
    surface(caller, Surface::Citizen)
}

/// The caller acts as an official, on the staff surface.
///
/// # Errors
/// [`AppError::Denied`].
pub fn staff(caller: &Caller) -> Result<(), AppError> {
    surface(caller, Surface::Staff)
}

fn surface(caller: &Caller, wanted: Surface) -> Result<(), AppError> {
    if caller.surface == wanted {
        return Ok(());
    }
    Err(AppError::Denied {
        reason: "WRONG_SURFACE",
        description: "this call is not for sessions of this surface",
    })
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
    let now = app
        .identity
        .authorization(caller.person_id, caller.session_id)
        .await?;
    if !now.session_live {
        return Err(AppError::Denied {
            reason: "SESSION_ENDED",
            description: "the session has ended",
        });
    }
    let held = now
        .grants
        .iter()
        .any(|grant| grant.office_id == office_id && grant.role == role);
    if held && now.proved {
        return Ok(());
    }
    Err(AppError::Denied {
        reason: "ROLE_MISSING",
        description: "the role at this office is not held any more",
    })
}

/// The caller administers the platform: by the token, and at this moment by identity.
///
/// # Errors
/// [`AppError::Denied`] with `SESSION_ENDED` or `PLATFORM_ADMINISTRATOR_MISSING`, or identity's silence.
pub async fn platform_administrator(app: &App, caller: &Caller) -> Result<(), AppError> {
    let missing = Err(AppError::Denied {
        reason: "PLATFORM_ADMINISTRATOR_MISSING",
        description: "only an administrator of the platform may do this",
    });
    if !caller.platform_administrator {
        return missing;
    }
    let now = app
        .identity
        .authorization(caller.person_id, caller.session_id)
        .await?;
    if !now.session_live {
        return Err(AppError::Denied {
            reason: "SESSION_ENDED",
            description: "the session has ended",
        });
    }
    if now.platform_administrator && now.proved {
        return Ok(());
    }
    missing
}

/// A request id that is the same whenever the same use is repeated (UUID version 8 from SHA-256).
pub fn derived_request_id(label: &str, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_repeat_and_keep_parts_apart() {
        let id = derived_request_id("redeem", &[b"ab", b"c"]);
        assert_eq!(id, derived_request_id("redeem", &[b"ab", b"c"]));
        assert_ne!(id, derived_request_id("redeem", &[b"a", b"bc"]));
        assert_ne!(id, derived_request_id("other", &[b"ab", b"c"]));
        assert_eq!(id.get_version_num(), 8);
    }
}
