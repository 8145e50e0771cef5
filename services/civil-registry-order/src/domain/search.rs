//! Looking for an act by its key, or by a person's name and birth date or year. A name alone is not enough: it would open the registers
//! to curiosity.

use std::collections::HashSet;
use std::fmt;

use uuid::Uuid;

use super::act::Bilingual;
use super::act_key::{ActKey, ActNumber, RegisterKind, RegisterPart};
use super::fold::{self, Script};
use super::written_date::PartialDate;

/// Most acts that a search gives.
pub const MOST: usize = 20;
/// Names less alike than this are another person's.
const LEAST_LIKENESS: f32 = 0.5;
/// From here on a name is the same name in another spelling.
const SAME_NAME: f32 = 0.9;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    Key {
        year: i16,
        /// Any part without one.
        part: Option<RegisterPart>,
        number: ActNumber,
    },
    Person(Person),
}

/// A person as somebody knows them: at least one name, in either script, and a birth date or year. Does
/// not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    given: String,
    family: String,
    born: PartialDate,
}

impl fmt::Debug for Person {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Person").finish_non_exhaustive()
    }
}

/// Why nothing can be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("a name needs a birth date, or a birth year")]
    NameAlone,
    #[error("a birth date needs a name")]
    DateAlone,
    #[error("a birth year needs the family name")]
    YearWithoutFamily,
}

impl QueryError {
    /// The field at fault and the stable code.
    pub fn fault(self) -> (&'static str, &'static str) {
        match self {
            Self::NameAlone => ("birth_date", "NAME_ALONE"),
            Self::DateAlone => ("family_name", "REQUIRED"),
            Self::YearWithoutFamily => ("family_name", "REQUIRED"),
        }
    }
}

impl Query {
    /// How was looked, for the audit trail.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Key { .. } => "key",
            Self::Person(_) => "person",
        }
    }
}

impl Person {
    /// Somebody by name and birth.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn new(given: &str, family: &str, born: Option<PartialDate>) -> Result<Self, QueryError> {
        let (given, family) = (given.trim(), family.trim());
        let known = |name: &str| !Script::of(name).fold(name).is_empty();
        if !known(given) && !known(family) {
            return Err(QueryError::DateAlone);
        }
        let born = born.ok_or(QueryError::NameAlone)?;
        if born.full().is_none() && !known(family) {
            return Err(QueryError::YearWithoutFamily);
        }
        Ok(Self {
            given: given.to_owned(),
            family: family.to_owned(),
            born,
        })
    }

    pub fn born(&self) -> PartialDate {
        self.born
    }

    /// The script and the folded form of the family name, where it is known.
    pub fn family(&self) -> Option<(Script, String)> {
        let script = Script::of(&self.family);
        let folded = script.fold(&self.family);
        (!folded.is_empty()).then_some((script, folded))
    }
}

/// An act as a search finds it. Does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Summary {
    pub id: Uuid,
    pub key: ActKey,
    pub given_name: Bilingual,
    pub family_name: Bilingual,
    pub birth_date: Option<PartialDate>,
}

impl fmt::Debug for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.id;
        formatter
            .debug_struct("Summary")
            .field("id", id)
            .finish_non_exhaustive()
    }
}

/// How near an act is to what was looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub act: Summary,
    /// 0 to 1.
    pub similarity: f32,
    /// Fields that differ: `given_name`, `family_name`, `birth_date`.
    pub differences: Vec<&'static str>,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// Nearest first.
    pub acts: Vec<Found>,
    /// More acts may be meant than are given, or were looked at.
    pub truncated: bool,
}

/// The acts that can be meant, nearest first. One that is there under several names counts by the nearest.
pub fn rank(person: &Person, candidates: Vec<Summary>) -> Vec<Found> {
    let mut found: Vec<Found> = candidates
        .into_iter()
        .filter_map(|act| judge(person, act))
        .collect();
    found.sort_by(|one, other| {
        let nearest = other.similarity.total_cmp(&one.similarity);
        nearest.then_with(|| one.act.id.cmp(&other.act.id))
    });
    let mut seen = HashSet::new();
    found.retain(|found| seen.insert(found.act.id));
    found
}

/// Whether the act can be the person's.
fn judge(person: &Person, act: Summary) -> Option<Found> {
    let mut differences = Vec::new();
    let mut likenesses = Vec::new();
    for (field, asked, written) in [
        ("given_name", &person.given, &act.given_name),
        ("family_name", &person.family, &act.family_name),
    ] {
        if let Some(likeness) = likeness(asked, written) {
            likenesses.push(likeness);
            if likeness < SAME_NAME {
                differences.push(field);
            }
        }
    }
    if likenesses.is_empty() || likenesses.iter().any(|likeness| *likeness < LEAST_LIKENESS) {
        return None;
    }
    let names = likenesses.iter().sum::<f32>() / likenesses.len() as f32;
    let born = born_alike(person.born, act.birth_date);
    if born < SAME_NAME {
        differences.push("birth_date");
    }
    Some(Found {
        act,
        similarity: names * born,
        differences,
    })
}

/// How alike a name is to the act's in its script; nothing where one of them has none.
fn likeness(asked: &str, written: &Bilingual) -> Option<f32> {
    let script = Script::of(asked);
    let written = match script {
        Script::Latin => &written.latin,
        Script::Arabic => &written.arabic,
    };
    (!asked.is_empty() && !written.is_empty()).then(|| fold::likeness(script, asked, written))
}

fn born_alike(asked: PartialDate, written: Option<PartialDate>) -> f32 {
    const LESS_SAID: f32 = 0.95;
    const OTHER_DAY: f32 = 0.7;
    match written {
        Some(written) if written == asked => 1.0,
        Some(written) if written.year() != asked.year() => 0.0,
        // The act says the year alone, or only the year was asked for.
        Some(written) if written.full().is_none() || asked.full().is_none() => LESS_SAID,
        Some(_) => OTHER_DAY,
        None => OTHER_DAY,
    }
}

/// A register: whose acts a search may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Register {
    pub office_id: Uuid,
    pub kind: RegisterKind,
    pub year: i16,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(number: u128, family: &str, given: &str, born: &str) -> Summary {
        Summary {
            id: Uuid::from_u128(number),
            key: ActKey {
                office_id: Uuid::nil(),
                kind: RegisterKind::Birth,
                year: 1984,
                part: RegisterPart::default(),
                number: "1".parse().unwrap(),
            },
            given_name: Bilingual::new("", given),
            family_name: Bilingual::new("", family),
            birth_date: born.parse().ok(),
        }
    }

    fn person(given: &str, family: &str, born: &str) -> Result<Person, QueryError> {
        Person::new(given, family, born.parse().ok())
    }

    #[test]
    fn a_name_alone_is_not_looked_for() {
        assert_eq!(person("Amina", "Alaoui", ""), Err(QueryError::NameAlone));
        assert_eq!(person("", " ", "1984-03-02"), Err(QueryError::DateAlone));
        assert_eq!(person("Amina", "", "1984"), Err(QueryError::YearWithoutFamily));
        assert_eq!(
            person("Amina", "-", "1984-03"),
            Err(QueryError::YearWithoutFamily)
        );
        assert!(person("Amina", "", "1984-03-02").is_ok());
        assert!(person("", "العلوي", "1984").is_ok());
    }

    #[test]
    fn the_nearest_comes_first_and_says_what_differs() {
        let asked = person("Mohamed", "El Idrissi", "1984-03-02").unwrap();
        let found = rank(
            &asked,
            vec![
                act(1, "Idrissi", "Mohammed", "1984-05-06"),
                act(2, "Idrissi", "Mohammed", "1984-03-02"),
                act(3, "El Idrissi", "Mohamed", "1984-03-02"),
                act(4, "Idrissi", "Khadija", "1984-03-02"),
                act(5, "El Idrissi", "Mohamed", "1984"),
                act(2, "Idrissi", "Mohammed", "1984-03-02"),
                act(3, "Idrissi", "Mohamed", "1984-05-06"),
            ],
        );
        let shown: Vec<(u128, &[&str])> = found
            .iter()
            .map(|found| (found.act.id.as_u128(), &found.differences[..]))
            .collect();
        let nothing: &[&str] = &[];
        assert_eq!(
            shown,
            [(3, nothing), (5, nothing), (2, nothing), (1, &["birth_date"][..])]
        );
        assert!((found[0].similarity - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_script_that_the_act_lacks_is_not_held_against_it() {
        let asked = person("أمينة", "Alaoui", "1984").unwrap();
        assert_eq!(
            rank(&asked, vec![act(1, "El Alaoui", "Amina", "1984-03-02")]).len(),
            1
        );
        let arabic = person("أمينة", "العلوي", "1984").unwrap();
        assert!(rank(&arabic, vec![act(1, "El Alaoui", "Amina", "1984-03-02")]).is_empty());
    }
}
