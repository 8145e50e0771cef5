//! Use cases: one file, one public async function, one transaction each.
//!
//! A transaction goes in this order: claim the request, lock the row, pure transition, save, audit, event, response, commit.
//! Passwords are hashed and quotas taken before it begins. A refusal that must leave a trace commits the trace.

pub mod begin_totp_enrolment;
pub mod bootstrap_administrator;
pub mod change_contact;
pub mod change_password;
pub mod complete_contact_session;
pub mod complete_sign_in;
pub mod complete_totp_enrolment;
pub mod confirm_with_totp;
pub mod create_confirmation;
pub mod create_office;
pub mod deposit_specimen;
pub mod end_membership;
pub mod end_session;
pub mod enrol_administration;
pub mod exchange_session;
pub mod find_claims;
pub mod get_administration;
pub mod get_authorization;
pub mod get_delivery;
pub mod get_office;
pub mod get_person;
pub mod get_specimen;
pub mod get_specimen_for_review;
pub mod grant_membership;
pub mod import_offices;
pub mod list_administrations;
pub mod list_memberships;
pub mod list_offices;
pub mod list_sessions;
pub mod list_specimens;
pub mod list_verification_keys;
pub mod prove_contact;
pub mod prove_identity;
pub mod prove_sign_up_contact;
pub mod prove_specimen;
pub mod redeem_confirmation;
pub mod regenerate_recovery_codes;
pub mod request_password_reset;
pub mod resend_sign_up_code;
pub mod reset_password;
pub mod set_office_service;
pub mod sign_in;
pub mod sign_up;
pub mod start_contact_session;
pub mod take_delivery;
pub mod take_quota;
pub mod tidy;
pub mod update_administration;
pub mod update_preferences;

mod deliver;
mod error;
mod key_ring;
mod limits;
mod page;
mod reauthenticate;
mod second_factor;
mod staff;
mod work;

pub use error::Error;
pub use key_ring::KeyRing;
pub use limits::Quotas;
pub use page::{Page, PageOf};
pub use work::{Command, Reply};

use chrono::TimeDelta;
use sqlx::PgPool;
use wathiq_chassis::Ambient;

use crate::crypto::keyed_hash::KeyedHash;
use crate::crypto::password_hash::PasswordHasher;
use crate::crypto::sealer::Sealer;
use crate::domain::session::{CONTACT_LIFE, Lifetime};
use crate::domain::vocabulary::Surface;

/// What every use case works with.
#[derive(Debug)]
pub struct App {
    pub pool: PgPool,
    pub ambient: Ambient,
    pub policy: Policy,
    pub quotas: Quotas,
    pub secrets: Secrets,
    pub hasher: PasswordHasher,
    pub keys: KeyRing,
}

/// Choices of the installation.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `iss` of tokens and records.
    pub issuer: String,
    pub token_life: TimeDelta,
    pub citizen_sessions: Lifetime,
    pub staff_sessions: Lifetime,
    /// Name shown in authenticators.
    pub totp_issuer: String,
}

impl Policy {
    pub fn lifetime(&self, surface: Surface) -> Lifetime {
        match surface {
            Surface::Citizen => self.citizen_sessions,
            Surface::Staff => self.staff_sessions,
            Surface::Contact => CONTACT_LIFE,
        }
    }
}

/// The keys of the installation, each for one use.
#[derive(Debug)]
pub struct Secrets {
    /// Codes and addresses on their way.
    pub deliveries: Sealer,
    /// Secrets of authenticators.
    pub totp: Sealer,
    /// Private halves of signing keys.
    pub signing_keys: Sealer,
    /// Codes, recovery codes, requests that may hold a password, what attempts are counted by, and the tags of sessions.
    pub hashes: KeyedHash,
}
