//! Who takes part in the journey and how far they were brought in, kept in a file, so that a run that was cut off anywhere is
//! taken up again by the next one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Cast;
use super::account::{Account, Person};
use super::authenticator::Authenticator;
use super::people;
use crate::secrets;

/// The notes of one installation, in a file or for one run only.
pub struct Notes {
    path: Option<PathBuf>,
    content: Content,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    /// Names the calls that are made once in the life of the installation.
    seed: String,
    /// The civil date on which the office opened, the same in every repetition of a call.
    today: String,
    office: Option<NotedOffice>,
    /// The latest sessions of citizen and staff, by role.
    #[serde(default)]
    sessions: BTreeMap<String, String>,
    people: Vec<NotedPerson>,
}

/// The office, once everything about it is done.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotedOffice {
    pub office_id: String,
    pub administration_id: String,
    pub officer_pin: String,
    pub registrar_pin: String,
}

/// How a person of the journey signs in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotedPerson {
    pub role: String,
    /// Tells people of one role apart.
    pub token: String,
    pub login: String,
    pub password: String,
    /// Known once an agent has found the person's claim.
    person_id: Option<String>,
    /// None before the enrolment of an authenticator has begun.
    pub totp_secret: Option<String>,
    totp_step: u64,
}

impl Notes {
    /// Notes that are not kept.
    #[must_use]
    pub fn of_one_run(today: &str) -> Self {
        Self {
            path: None,
            content: Content {
                seed: secrets::random_hex(16),
                today: today.to_owned(),
                office: None,
                sessions: BTreeMap::new(),
                people: Vec::new(),
            },
        }
    }

    /// The notes in a file, begun where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(path: &Path, today: &str) -> Result<Self> {
        let mut notes = match std::fs::read(path) {
            Ok(text) => Self {
                path: None,
                content: serde_json::from_slice(&text).with_context(|| {
                    format!(
                        "{} is not of this version: `make clean` makes a fresh start",
                        path.display()
                    )
                })?,
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::of_one_run(today),
            Err(error) => {
                return Err(anyhow::Error::new(error).context(format!("cannot read {}", path.display())));
            }
        };
        notes.path = Some(path.to_owned());
        Ok(notes)
    }

    /// Notes everybody's codes at the end of a run.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end(&mut self, cast: &Cast) -> Result<()> {
        let others = cast
            .waiting
            .iter()
            .map(|(account, _)| account)
            .chain(&cast.resting);
        let office = &cast.office;
        for account in [&cast.citizen, &office.agent, &office.officer, &office.registrar]
            .into_iter()
            .chain(others)
        {
            self.set(account);
        }
        self.note_sessions(cast);
        self.save()
    }

    #[must_use]
    pub fn seed(&self) -> &str {
        &self.content.seed
    }

    #[must_use]
    pub fn today(&self) -> &str {
        &self.content.today
    }

    #[must_use]
    pub fn office(&self) -> Option<&NotedOffice> {
        self.content.office.as_ref()
    }

    /// Notes that the office stands and everybody is brought in.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn complete(&mut self, cast: &Cast) -> Result<()> {
        self.content.office = Some(NotedOffice {
            office_id: cast.office.office_id.clone(),
            administration_id: cast.office.administration_id.clone(),
            officer_pin: cast.officer_pin.clone(),
            registrar_pin: cast.registrar_pin.clone(),
        });
        self.note_sessions(cast);
        self.save()
    }

    /// The session in which a role acted last.
    #[must_use]
    pub fn session(&self, role: &str) -> Option<&str> {
        self.content.sessions.get(role).map(String::as_str)
    }

    fn note_sessions(&mut self, cast: &Cast) {
        let citizen = self.content.people.iter().find(|person| person.role == "citizen");
        let is_first = citizen.is_some_and(|first| first.login == cast.citizen.email);
        for (role, api) in [
            ("citizen", is_first.then_some(&cast.citizen_session)),
            ("agent", Some(&cast.agent_session)),
            ("officer", Some(&cast.officer_session)),
            ("registrar", Some(&cast.registrar_session)),
        ] {
            self.content.sessions.remove(role);
            if let Some(secret) = api.and_then(super::api::Api::session) {
                self.content.sessions.insert(role.to_owned(), secret.to_owned());
            }
        }
    }

    /// Everybody who can sign in.
    #[must_use]
    pub fn people(&self) -> &[NotedPerson] {
        &self.content.people
    }

    /// The person of a role, and whether an earlier run knew them already.
    ///
    /// # Errors
    /// When the role is unknown or the file cannot be written.
    pub fn person(&mut self, role: &str) -> Result<(Person, bool)> {
        if let Some(noted) = self.content.people.iter().find(|person| person.role == role) {
            return Ok((people::of(role, &noted.token, &noted.password)?, true));
        }
        Ok((self.another(role)?, false))
    }

    /// Another person in the place of one who was never signed up.
    ///
    /// # Errors
    /// When the role is unknown or the file cannot be written.
    pub fn another(&mut self, role: &str) -> Result<Person> {
        let (token, password) = people::chance();
        let person = people::of(role, &token, &password)?;
        self.content.people.retain(|known| known.role != role);
        self.content.people.push(NotedPerson {
            role: role.to_owned(),
            token,
            login: person.email.clone(),
            password,
            person_id: None,
            totp_secret: None,
            totp_step: 0,
        });
        self.save()?;
        Ok(person)
    }

    /// Notes an account's second factor; before it is first used.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&mut self, account: &Account) -> Result<()> {
        self.set(account);
        self.save()
    }

    /// The id of the person of a role, where it is noted.
    #[must_use]
    pub fn person_id(&self, role: &str) -> Option<&str> {
        let person = self.content.people.iter().find(|person| person.role == role)?;
        person.person_id.as_deref()
    }

    /// Notes the id of the person of a role.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_person_id(&mut self, role: &str, id: &str) -> Result<()> {
        let mut people = self.content.people.iter_mut();
        if let Some(person) = people.find(|person| person.role == role) {
            person.person_id = Some(id.to_owned());
        }
        self.save()
    }

    fn set(&mut self, account: &Account) {
        let known = self
            .content
            .people
            .iter_mut()
            .find(|known| known.login == account.email);
        if let Some(known) = known {
            known.totp_secret = Some(account.authenticator.secret().to_owned());
            known.totp_step = account.authenticator.last_step();
            return;
        }
        self.content.people.push(NotedPerson {
            role: account.role.clone(),
            token: String::new(),
            login: account.email.clone(),
            password: account.password.clone(),
            person_id: None,
            totp_secret: Some(account.authenticator.secret().to_owned()),
            totp_step: account.authenticator.last_step(),
        });
    }

    /// The account of a role, where its second factor is noted.
    ///
    /// # Errors
    /// When the noted secret is not one.
    pub fn account(&self, role: &str) -> Result<Option<Account>> {
        Ok(self.accounts(role)?.into_iter().next())
    }

    /// All accounts of a role, the first one first.
    ///
    /// # Errors
    /// When a noted secret is not one.
    pub fn accounts(&self, role: &str) -> Result<Vec<Account>> {
        let with_secret = self.content.people.iter().filter(|person| person.role == role);
        with_secret
            .filter_map(|person| Some((person, person.totp_secret.as_deref()?)))
            .map(|(person, secret)| {
                Ok(Account {
                    role: person.role.clone(),
                    email: person.login.clone(),
                    password: person.password.clone(),
                    authenticator: self.authenticator(&person.login, secret, person.totp_step)?,
                })
            })
            .collect()
    }

    /// The authenticator of a login, which keeps beside the notes what codes it gave.
    ///
    /// # Errors
    /// When the secret is not one.
    pub fn authenticator(&self, login: &str, secret: &str, last_step: u64) -> Result<Authenticator> {
        let authenticator = Authenticator::new(secret, last_step)?;
        Ok(match &self.path {
            Some(path) => authenticator.with_ledger(path.with_file_name(format!("totp-{login}"))),
            None => authenticator,
        })
    }

    fn save(&self) -> Result<()> {
        match &self.path {
            Some(path) => secrets::write_private(path, serde_json::to_vec_pretty(&self.content)?),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_noted_is_found_again_and_a_cut_off_run_gives_no_code_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cast.json");
        let mut notes = Notes::open(&path, "2026-11-22").unwrap();
        let (person, known) = notes.person("officer").unwrap();
        assert!(!known);
        let secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let mut account = Account {
            role: person.role.to_owned(),
            email: person.email.clone(),
            password: person.password.clone(),
            authenticator: notes.authenticator(&person.email, secret, 0).unwrap(),
        };
        notes.keep(&account).unwrap();
        account.authenticator.code().await;
        account.authenticator.code().await;
        let given = account.authenticator.last_step();
        // Nothing else is said of the end of the run: it was cut off.
        drop((notes, account));

        let mut again = Notes::open(&path, "2026-11-23").unwrap();
        assert_eq!(again.today(), "2026-11-22");
        let (found, known) = again.person("officer").unwrap();
        assert!(known);
        assert_eq!(
            (found.email, found.phone, found.cin),
            (person.email, person.phone, person.cin)
        );
        let officer = again.account("officer").unwrap().unwrap();
        assert_eq!(officer.authenticator.last_step(), given);
        assert!(again.account("agent").unwrap().is_none());
    }
}
