//! The people of the demonstration. Their passwords are made at start.

use anyhow::{Context, Result};

use super::account::Person;
use crate::secrets;

/// A part in the journey: a person but for what tells them from others who play it.
struct Part {
    role: &'static str,
    login: &'static str,
    number: u64,
    name_latin: [&'static str; 2],
    name_arabic: [&'static str; 2],
    birth_date: &'static str,
}

const ADMINISTRATOR: Part = Part {
    role: "administrator",
    login: "direction",
    number: 100,
    name_latin: ["Youssef", "Alaoui"],
    name_arabic: ["يوسف", "العلوي"],
    birth_date: "1970-01-30",
};

const AGENT: Part = Part {
    role: "agent",
    login: "karim.bennani",
    number: 110,
    name_latin: ["Karim", "Bennani"],
    name_arabic: ["كريم", "بناني"],
    birth_date: "1984-03-09",
};

const OFFICER: Part = Part {
    role: "officer",
    login: "amina.benjelloun",
    number: 120,
    name_latin: ["Amina", "Benjelloun"],
    name_arabic: ["أمينة", "بنجلون"],
    birth_date: "1976-11-21",
};

const CITIZEN: Part = Part {
    role: "citizen",
    login: "salma.elidrissi",
    number: 130,
    name_latin: ["Salma", "El Idrissi"],
    name_arabic: ["سلمى", "الإدريسي"],
    birth_date: "1991-06-14",
};

impl Part {
    /// `token` is hexadecimal: an address and a number of one's own, so that journeys side by side share no inbox.
    fn played_by(&self, token: &str, password: &str) -> Person {
        let random = u32::from_str_radix(token, 16).unwrap_or_default();
        Person {
            role: self.role,
            email: format!("{}.{token}@example.ma", self.login),
            phone: self.phone(random),
            name_latin: self.name_latin,
            name_arabic: self.name_arabic,
            birth_date: self.birth_date,
            cin: format!("BK{:06}", random % 1_000_000),
            password: password.to_owned(),
        }
    }

    /// Numbers of one part differ wherever their tokens differ modulo 10⁸; numbers of two parts with one token always do.
    fn phone(&self, random: u32) -> String {
        let number = (u64::from(random) + self.number * 999_983) % 100_000_000;
        format!("+2126{number:08}")
    }

    fn played_by_anyone(&self) -> Person {
        let (token, password) = chance();
        self.played_by(&token, &password)
    }
}

/// A token and a password for somebody new.
#[must_use]
pub fn chance() -> (String, String) {
    (secrets::random_hex(4), format!("demo-{}", secrets::random_hex(8)))
}

/// The person of a role with this token and password, always the same.
///
/// # Errors
/// When there is no such role.
pub fn of(role: &str, token: &str, password: &str) -> Result<Person> {
    let parts = [&ADMINISTRATOR, &AGENT, &OFFICER, &CITIZEN];
    let part = parts.into_iter().find(|part| part.role == role);
    let part = part.with_context(|| format!("nobody plays {role}"))?;
    Ok(part.played_by(token, password))
}

/// The agent and the officer.
#[must_use]
pub fn staff() -> [Person; 2] {
    [AGENT.played_by_anyone(), OFFICER.played_by_anyone()]
}

/// The citizen.
#[must_use]
pub fn citizen() -> Person {
    CITIZEN.played_by_anyone()
}

/// The first administrator.
#[must_use]
pub fn administrator() -> Person {
    ADMINISTRATOR.played_by_anyone()
}
