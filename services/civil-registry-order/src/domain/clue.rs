//! What the citizen knows of an act: any part of its key, and the person.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::act_key::{self, ActNumber, RegisterKind, RegisterPart};
use crate::domain::fault::Faults;
use crate::domain::person::FullName;

/// Years that an act can give in the Hijri calendar: as far as the registers go back, and some years ahead.
const HIJRI_YEARS: std::ops::RangeInclusive<i32> = 1290..=1500;
/// The oldest birth that anybody orders.
const FIRST_BIRTH_YEAR: i32 = 1850;

/// A date of which the day, or day and month, may be unknown (0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialDate {
    pub year: i32,
    pub month: u32,
    pub day: u32,
}

impl PartialDate {
    /// A whole date.
    pub fn of(date: NaiveDate) -> Self {
        Self {
            year: date.year(),
            month: date.month(),
            day: date.day(),
        }
    }

    /// The whole date, where all of it is known.
    pub fn whole(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year, self.month, self.day)
    }

    /// Whether a calendar can have it.
    pub fn is_possible(self) -> bool {
        match (self.month, self.day) {
            (0, 0) => true,
            (month, 0) => (1..=12).contains(&month),
            _ => self.whole().is_some(),
        }
    }

    /// Whether it may be this date, as far as it is known.
    pub fn admits(self, date: NaiveDate) -> bool {
        self.year == date.year()
            && (self.month == 0 || self.month == date.month())
            && (self.day == 0 || self.day == date.day())
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day } = self;
        match (month, day) {
            (0, _) => write!(formatter, "{year}"),
            (_, 0) => write!(formatter, "{year}-{month:02}"),
            _ => write!(formatter, "{year}-{month:02}-{day:02}"),
        }
    }
}

/// A clue.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clue {
    /// The office of registration.
    pub office_id: Uuid,
    pub kind: RegisterKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<i16>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hijri_year: Option<i16>,
    #[serde(default)]
    pub person: FullName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<PartialDate>,
    /// Of a death act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub death_date: Option<PartialDate>,
    #[serde(default)]
    pub father: FullName,
    #[serde(default)]
    pub mother: FullName,
}

impl fmt::Debug for Clue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Clue")
            .field("office_id", &self.office_id)
            .finish_non_exhaustive()
    }
}

/// A clue as it was typed.
#[derive(Default)]
pub struct TypedClue {
    pub office_id: String,
    /// Nothing: the one of the kind of document.
    pub kind: Option<RegisterKind>,
    pub year: i32,
    pub part: String,
    pub number: String,
    pub hijri_year: i32,
    pub person: FullName,
    /// Year, month, day; month and day may be 0.
    pub birth_date: Option<(i32, i32, i32)>,
    /// Likewise; of a death act.
    pub death_date: Option<(i32, i32, i32)>,
    pub father: FullName,
    pub mother: FullName,
}

const IMPOSSIBLE: &str = "ACT_REFERENCE_IMPOSSIBLE";

impl TypedClue {
    /// Reads the clue to an act of this register; notes everything that cannot be.
    pub fn read(mut self, faults: &mut Faults, register: RegisterKind, today: NaiveDate) -> Option<Clue> {
        let before = faults.len();
        if self.kind.is_some_and(|kind| kind != register) {
            faults.note("kind", IMPOSSIBLE, "is not the register of this kind of document");
        }
        let office_id = read_office(faults, &self.office_id);
        let year = self.read_year(faults, today);
        let part = self.part.parse::<RegisterPart>();
        let part = noted(faults, "part", part).unwrap_or_default();
        let number = if self.number.trim().is_empty() {
            None
        } else {
            noted(faults, "number", self.number.parse::<ActNumber>())
        };
        let hijri_year = self.read_hijri_year(faults);
        let birth_date = read_date(faults, "birth_date", self.birth_date, today);
        let death_date = self.read_death_date(faults, register, today);
        for (field, name) in [
            ("person", &mut self.person),
            ("father", &mut self.father),
            ("mother", &mut self.mother),
        ] {
            faults.below(field, |faults| name.check(faults, false));
        }
        in_order(faults, year, birth_date, death_date);
        // A number and a year without a person would be anybody's act.
        let by_person = self.person.has_script() && (birth_date.is_some() || death_date.is_some());
        if !by_person && faults.len() == before {
            faults.note(
                "",
                "ACT_REFERENCE_INCOMPLETE",
                "give the name and the date (or year) of birth of the person of the act, or of death for a death act; its number and year \
                 help to find it",
            );
        }
        if faults.len() > before {
            return None;
        }
        Some(Clue {
            office_id: office_id?,
            kind: register,
            year,
            part: part.as_str().to_owned(),
            number: number.map(|number| number.to_string()).unwrap_or_default(),
            hijri_year,
            person: self.person,
            birth_date,
            death_date,
            father: self.father,
            mother: self.mother,
        })
    }

    fn read_year(&self, faults: &mut Faults, today: NaiveDate) -> Option<i16> {
        if self.year == 0 {
            return None;
        }
        noted(faults, "year", act_key::year(self.year, today.year()))
    }

    fn read_hijri_year(&self, faults: &mut Faults) -> Option<i16> {
        match self.hijri_year {
            0 => None,
            year if HIJRI_YEARS.contains(&year) => i16::try_from(year).ok(),
            _ => {
                let description = format!(
                    "must be a year from {} to {}",
                    HIJRI_YEARS.start(),
                    HIJRI_YEARS.end()
                );
                faults.note("hijri_year", IMPOSSIBLE, description);
                None
            }
        }
    }

    fn read_death_date(
        &self,
        faults: &mut Faults,
        register: RegisterKind,
        today: NaiveDate,
    ) -> Option<PartialDate> {
        if self.death_date.is_some() && register != RegisterKind::Death {
            faults.note("death_date", IMPOSSIBLE, "only a death act has it");
            return None;
        }
        read_date(faults, "death_date", self.death_date, today)
    }
}

fn read_date(
    faults: &mut Faults,
    field: &str,
    typed: Option<(i32, i32, i32)>,
    today: NaiveDate,
) -> Option<PartialDate> {
    let (year, month, day) = typed?;
    let date = u32::try_from(month).ok().zip(u32::try_from(day).ok());
    let date = date.map(|(month, day)| PartialDate { year, month, day });
    let possible = date.filter(|date| {
        date.is_possible()
            && (FIRST_BIRTH_YEAR..=today.year()).contains(&year)
            && date.whole().is_none_or(|date| date <= today)
    });
    if possible.is_none() {
        faults.note(
            field,
            IMPOSSIBLE,
            "must be a date in the past; day, or day and month, may be 0",
        );
    }
    possible
}

/// Nobody dies before being born, and nothing is registered before it happens.
fn in_order(
    faults: &mut Faults,
    year: Option<i16>,
    birth_date: Option<PartialDate>,
    death_date: Option<PartialDate>,
) {
    let older = |date: Option<PartialDate>| {
        year.zip(date)
            .is_some_and(|(year, date)| i32::from(year) < date.year)
    };
    if older(birth_date) || older(death_date) {
        faults.note("year", IMPOSSIBLE, "an act is not older than what it tells of");
    }
    if let (Some(birth), Some(death)) = (birth_date, death_date) {
        let whole = birth.whole().zip(death.whole());
        if death.year < birth.year || whole.is_some_and(|(birth, death)| death < birth) {
            faults.note("death_date", IMPOSSIBLE, "must not be before the birth");
        }
    }
}

fn read_office(faults: &mut Faults, text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok();
    if id.is_none() {
        let reason = if text.is_empty() { "REQUIRED" } else { "MALFORMED" };
        faults.note("office_id", reason, "must be the UUID of an office");
    }
    id
}

fn noted<T>(faults: &mut Faults, field: &str, read: Result<T, act_key::KeyError>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(error) => {
            faults.note(field, IMPOSSIBLE, error.to_string());
            None
        }
    }
}

impl Clue {
    /// The year of the register that is meant: as named, otherwise that of what the act tells of. A death of which only the birth is known is
    /// looked for where it would be registered today.
    pub fn register_year(&self, today: NaiveDate) -> i16 {
        let this_year = i16::try_from(today.year()).unwrap_or(i16::MAX);
        self.known_year().unwrap_or(this_year)
    }

    /// The year of the register as far as the clue tells it.
    fn known_year(&self) -> Option<i16> {
        let happened = match self.kind {
            RegisterKind::Birth => self.birth_date,
            RegisterKind::Death => self.death_date,
        };
        self.year
            .or_else(|| happened.and_then(|date| i16::try_from(date.year).ok()))
    }

    /// Register, part, year and number, in the order of the shelves; a year or number that is not known comes last.
    pub fn shelf_order(&self) -> (RegisterKind, String, i16, i32) {
        let part = self.part.parse::<RegisterPart>();
        let number = self.number.parse::<ActNumber>();
        (
            self.kind,
            part.unwrap_or_default().shelf_order(),
            self.known_year().unwrap_or(i16::MAX),
            number.map_or(i32::MAX, |number| number.sort()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: &str = "0192f0c0-0000-7000-8000-000000000001";

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
    }

    fn read(typed: TypedClue) -> Result<Clue, Vec<(String, &'static str)>> {
        read_from(RegisterKind::Birth, typed)
    }

    fn read_from(register: RegisterKind, typed: TypedClue) -> Result<Clue, Vec<(String, &'static str)>> {
        let mut faults = Faults::default();
        let clue = faults.below("act", |faults| typed.read(faults, register, today()));
        clue.ok_or_else(|| {
            let found = faults.into_found().into_iter();
            found.map(|fault| (fault.field, fault.reason)).collect()
        })
    }

    fn key() -> TypedClue {
        TypedClue {
            office_id: OFFICE.to_owned(),
            year: 1984,
            number: "١٢٣ مكرر".to_owned(),
            person: FullName {
                given_arabic: "أمينة".into(),
                family_arabic: "الإدريسي".into(),
                ..FullName::default()
            },
            birth_date: Some((1984, 0, 0)),
            ..TypedClue::default()
        }
    }

    #[test]
    fn the_person_and_their_birth_year_are_enough_and_a_key_alone_is_not() {
        let clue = read(key()).unwrap();
        assert_eq!((clue.year, clue.number.as_str()), (Some(1984), "123 bis"));
        let person_alone = TypedClue {
            year: 0,
            number: String::new(),
            ..key()
        };
        assert!(read(person_alone).is_ok());
        let nobody = TypedClue {
            person: FullName::default(),
            ..key()
        };
        let ageless = TypedClue {
            birth_date: None,
            ..key()
        };
        for incomplete in [nobody, ageless] {
            assert_eq!(
                read(incomplete).unwrap_err(),
                [("act".to_owned(), "ACT_REFERENCE_INCOMPLETE")]
            );
        }
    }

    type Told = Option<(i32, i32, i32)>;

    fn dead(year: i32, birth_date: Told, death_date: Told) -> TypedClue {
        TypedClue {
            year,
            birth_date,
            death_date,
            ..key()
        }
    }

    #[test]
    fn a_death_is_looked_for_by_its_own_year() {
        let register = |typed| {
            let clue = read_from(RegisterKind::Death, typed).unwrap();
            (clue.register_year(today()), clue.shelf_order().2)
        };
        let (born, died) = (Some((1930, 5, 0)), Some((2003, 0, 0)));
        assert_eq!(register(dead(0, born, died)), (2003, 2003));
        assert_eq!(
            register(dead(0, None, died)),
            (2003, 2003),
            "the death alone is enough"
        );
        assert_eq!(register(dead(0, born, None)), (2026, i16::MAX), "so is the birth");
        assert_eq!(register(dead(2004, born, died)), (2004, 2004));
    }

    #[test]
    fn a_death_comes_after_the_birth_and_before_its_registration() {
        let fault = |typed| read_from(RegisterKind::Death, typed).unwrap_err().remove(0);
        let at = |field: &str| (format!("act.{field}"), IMPOSSIBLE);
        let (born, died) = (Some((1930, 5, 2)), Some((2003, 4, 1)));
        assert_eq!(fault(dead(0, born, Some((1929, 0, 0)))), at("death_date"));
        assert_eq!(fault(dead(0, born, Some((1930, 5, 1)))), at("death_date"));
        assert_eq!(fault(dead(0, born, Some((2027, 0, 0)))), at("death_date"));
        assert_eq!(fault(dead(2002, born, died)), at("year"));
        let nothing = fault(dead(0, None, None));
        assert_eq!(nothing, ("act".to_owned(), "ACT_REFERENCE_INCOMPLETE"));
    }

    #[test]
    fn what_cannot_be_is_named_each_by_itself() {
        let cases: [(TypedClue, &str); 8] = [
            (TypedClue { year: 1700, ..key() }, "act.year"),
            (TypedClue { year: 2027, ..key() }, "act.year"),
            (
                TypedClue {
                    number: "0".into(),
                    ..key()
                },
                "act.number",
            ),
            (
                TypedClue {
                    part: "a-very-long-part".into(),
                    ..key()
                },
                "act.part",
            ),
            (
                TypedClue {
                    hijri_year: 1984,
                    ..key()
                },
                "act.hijri_year",
            ),
            (
                TypedClue {
                    birth_date: Some((1984, 2, 30)),
                    ..key()
                },
                "act.birth_date",
            ),
            (
                TypedClue {
                    birth_date: Some((1990, 0, 0)),
                    ..key()
                },
                "act.year",
            ),
            (
                TypedClue {
                    kind: Some(RegisterKind::Death),
                    ..key()
                },
                "act.kind",
            ),
        ];
        for (typed, field) in cases {
            let found = read(typed).unwrap_err();
            assert_eq!(found, [(field.to_owned(), IMPOSSIBLE)]);
        }
        let born_dead = TypedClue {
            death_date: Some((1984, 0, 0)),
            ..key()
        };
        assert_eq!(
            read(born_dead).unwrap_err(),
            [("act.death_date".to_owned(), IMPOSSIBLE)]
        );
        let nothing = read(TypedClue::default()).unwrap_err();
        assert_eq!(nothing, [("act.office_id".to_owned(), "REQUIRED")]);
    }
}
