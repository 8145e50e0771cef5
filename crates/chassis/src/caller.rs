//! The user a call acts for, as the signed token says.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which face of the platform the session was opened on; staff rights hold on the staff surface only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Surface {
    /// The public portal.
    Citizen,
    /// The offices' portal.
    Staff,
    /// The public portal, without an account.
    Contact,
}

/// How well the person is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assurance {
    /// By an e-mail address and a phone that they read codes from; there is no account.
    Contact,
    /// By their own word.
    Claimed,
    /// By an identity document seen by an agent.
    Proved,
}

/// A role held at an office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The office.
    pub office_id: Uuid,
    /// The role's name, as the issuer writes it.
    pub role: String,
}

/// The user a call acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub person_id: Uuid,
    /// In which session.
    pub session_id: Uuid,
    /// Opened where.
    pub surface: Surface,
    /// How well known.
    pub assurance: Assurance,
    /// Roles by office.
    pub grants: Vec<Grant>,
    /// Whether the person administers the platform itself.
    pub platform_administrator: bool,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
}

impl Caller {
    /// Whether the caller holds `role` at `office`.
    pub fn holds(&self, office: Uuid, role: &str) -> bool {
        self.grants
            .iter()
            .any(|grant| grant.office_id == office && grant.role == role)
    }

    /// The offices where the caller holds `role`.
    pub fn offices_with(&self, role: &str) -> impl Iterator<Item = Uuid> {
        self.grants
            .iter()
            .filter(move |grant| grant.role == role)
            .map(|grant| grant.office_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_known_least_and_is_no_citizen() {
        assert!(Assurance::Contact < Assurance::Claimed && Assurance::Claimed < Assurance::Proved);
        let written = serde_json::to_string(&(Surface::Contact, Assurance::Contact)).unwrap();
        assert_eq!(written, r#"["contact","contact"]"#);
        assert_ne!(Surface::Contact, Surface::Citizen);
    }
}
