//! The people of the demonstration, kept from one run to the next.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::demo::Demo;
use crate::journey::Cast;
use crate::journey::account::Account;
use crate::journey::authenticator::Authenticator;
use crate::secrets;

/// What the next run needs to know of the people that the first one brought in.
#[derive(Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) office_id: String,
    pub(super) administration_id: String,
    pub(super) officer_pin: String,
    people: Vec<RememberedPerson>,
}

#[derive(Serialize, Deserialize)]
struct RememberedPerson {
    role: String,
    email: String,
    password: String,
    totp_secret: String,
    totp_step: u64,
}

impl Remembered {
    pub(super) fn of(cast: &Cast) -> Self {
        let people = [&cast.citizen, &cast.office.agent, &cast.office.officer]
            .into_iter()
            .map(|account| RememberedPerson {
                role: account.role.clone(),
                email: account.email.clone(),
                password: account.password.clone(),
                totp_secret: account.authenticator.secret().to_owned(),
                totp_step: account.authenticator.last_step(),
            })
            .collect();
        Self {
            office_id: cast.office.office_id.clone(),
            administration_id: cast.office.administration_id.clone(),
            officer_pin: cast.officer_pin.clone(),
            people,
        }
    }

    fn path(demo: &Demo) -> PathBuf {
        demo.layout().secrets().join("cast.json")
    }

    pub(super) fn save(&self, demo: &Demo) -> Result<()> {
        // Whole or not at all: without it nobody of the demonstration can sign in again.
        let path = Self::path(demo);
        let fresh = path.with_extension("new");
        secrets::write_private(&fresh, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(&fresh, &path).with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn load(demo: &Demo) -> Result<Option<Self>> {
        let path = Self::path(demo);
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(serde_json::from_slice(&std::fs::read(&path)?)?))
    }

    pub(super) fn account(&self, role: &str) -> Result<Account> {
        let person = self
            .people
            .iter()
            .find(|person| person.role == role)
            .context("someone is missing in cast.json")?;
        Ok(Account {
            role: person.role.clone(),
            email: person.email.clone(),
            password: person.password.clone(),
            authenticator: Authenticator::new(&person.totp_secret, person.totp_step)?,
        })
    }
}
