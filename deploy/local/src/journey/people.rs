//! The people of the demonstration. Their passwords are made at start.

use super::account::Person;
use crate::secrets;

fn person(
    role: &'static str,
    login: &str,
    number: u16,
    name_latin: [&'static str; 2],
    name_arabic: [&'static str; 2],
    birth_date: &'static str,
) -> Person {
    // A number of one's own, so that journeys side by side share no inbox.
    let token = secrets::random_hex(4);
    let random = u32::from_str_radix(&token, 16).unwrap_or_default();
    let digits = random % 100_000;
    Person {
        role,
        email: format!("{login}.{token}@example.ma"),
        phone: format!("+2126{number:03}{digits:05}"),
        name_latin,
        name_arabic,
        birth_date,
        cin: format!("BK{:06}", random % 1_000_000),
        password: format!("demo-{}", secrets::random_hex(8)),
    }
}

/// The agent and the officer.
#[must_use]
pub fn staff() -> [Person; 2] {
    [
        person(
            "agent",
            "karim.bennani",
            110,
            ["Karim", "Bennani"],
            ["كريم", "بناني"],
            "1984-03-09",
        ),
        person(
            "officer",
            "amina.benjelloun",
            120,
            ["Amina", "Benjelloun"],
            ["أمينة", "بنجلون"],
            "1976-11-21",
        ),
    ]
}

/// The citizen.
#[must_use]
pub fn citizen() -> Person {
    person(
        "citizen",
        "salma.elidrissi",
        130,
        ["Salma", "El Idrissi"],
        ["سلمى", "الإدريسي"],
        "1991-06-14",
    )
}

/// The first administrator.
#[must_use]
pub fn administrator() -> Person {
    person(
        "administrator",
        "direction",
        100,
        ["Youssef", "Alaoui"],
        ["يوسف", "العلوي"],
        "1970-01-30",
    )
}
