//! What identifies an act: office of registration, register, Gregorian year of declaration, part and number (law 37-99; decree 2-22-04:
//! the yearly number and the office).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The oldest year a register can have: the first consulates kept civil status before the dahir of 4 September 1915 did inside
/// Morocco.
pub const FIRST_YEAR: i16 = 1880;
/// Largest number of an act within a year.
const LARGEST_NUMBER: i32 = 999_999;
/// Most characters of a part.
const PART_LENGTH: usize = 8;
/// Places that a suffix takes in the sort key.
const SUFFIX_PLACES: i32 = 10;

/// The two registers of civil status (law 37-99, arts 1 to 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegisterKind {
    Birth,
    Death,
}

impl RegisterKind {
    pub const ALL: [Self; 2] = [Self::Birth, Self::Death];

    /// The name in the database and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Birth => "birth",
            Self::Death => "death",
        }
    }

    /// Reads [`RegisterKind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Why a part of a key cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("must be a year from {FIRST_YEAR} to this year")]
    Year,
    #[error("must be empty or have at most 8 letters and digits, such as \"2\"")]
    Part,
    #[error("must be a number from 1 to 999999, with a suffix such as \"bis\" where the act has one")]
    Number,
}

impl KeyError {
    /// The stable code.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Year => "YEAR_IMPOSSIBLE",
            Self::Part => "PART_IMPOSSIBLE",
            Self::Number => "NUMBER_IMPOSSIBLE",
        }
    }
}

/// The number of an act within its year, with its suffix: "123", "123 bis".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActNumber {
    text: String,
    sort: i32,
}

impl ActNumber {
    /// In its one spelling: "123 bis".
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Orders numbers as the register does: 123, 123 bis, 123 ter, 124.
    pub fn sort(&self) -> i32 {
        self.sort
    }
}

impl fmt::Display for ActNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for ActNumber {
    type Err = KeyError;

    /// Digits of either script, then nothing or one of bis, ter, quater, مكرر or a Latin letter, with or without a space.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text: String = western(text.trim());
        let digits = text
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at(digits);
        let number: i32 = number.parse().map_err(|_| KeyError::Number)?;
        if !(1..=LARGEST_NUMBER).contains(&number) {
            return Err(KeyError::Number);
        }
        let suffix = suffix
            .trim_start_matches([' ', '-', '/', '.', '\u{a0}'])
            .to_lowercase();
        let (suffix, rank) = suffix_of(&suffix).ok_or(KeyError::Number)?;
        let text = if suffix.is_empty() {
            number.to_string()
        } else {
            format!("{number} {suffix}")
        };
        Ok(Self {
            text,
            sort: number * SUFFIX_PLACES + rank,
        })
    }
}

/// A suffix in its one spelling, and its place after the plain number.
fn suffix_of(text: &str) -> Option<(&str, i32)> {
    match text {
        "" => Some(("", 0)),
        "bis" | "مكرر" => Some(("bis", 1)),
        "ter" => Some(("ter", 2)),
        "quater" => Some(("quater", 3)),
        _ => {
            let mut letters = text.chars();
            let letter = letters.next().filter(char::is_ascii_lowercase)?;
            letters.next().is_none().then_some(())?;
            // Several letters share the last place; the text tells them apart.
            Some((
                text,
                if letter <= 'e' {
                    4 + (letter as i32 - 'a' as i32)
                } else {
                    9
                },
            ))
        }
    }
}

/// Arabic-Indic digits, Eastern or not, as ASCII ones.
pub fn western(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\u{660}'..='\u{669}' => shifted(character, 0x660),
            '\u{6f0}'..='\u{6f9}' => shifted(character, 0x6f0),
            _ => character,
        })
        .collect()
}

fn shifted(digit: char, zero: u32) -> char {
    char::from_digit(digit as u32 - zero, 10).unwrap_or(digit)
}

/// The part of a year's register, such as "2"; empty where the year has one register.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RegisterPart(String);

impl RegisterPart {
    /// In its one spelling: capital letters, ASCII digits, no zeros before a number.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Orders parts as they stand on the shelf: 2, 10, A1, A10.
    pub fn shelf_order(&self) -> String {
        let mut order = String::new();
        let mut rest = self.0.as_str();
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest
                .find(|character: char| character.is_ascii_digit() != digits)
                .unwrap_or(rest.len());
            let run = &rest[..end];
            if digits {
                order.push_str(&format!("{run:0>PART_LENGTH$}"));
            } else {
                order.push_str(run);
            }
            rest = &rest[end..];
        }
        order
    }
}

impl FromStr for RegisterPart {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = without_leading_zeros(&western(text.trim()).to_uppercase());
        let fits = text.chars().count() <= PART_LENGTH && text.chars().all(char::is_alphanumeric);
        if fits { Ok(Self(text)) } else { Err(KeyError::Part) }
    }
}

/// The text with each number in it in its shortest form: "02" and "2" are one part.
fn without_leading_zeros(text: &str) -> String {
    let mut shortest = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut in_number = false;
    while let Some(character) = characters.next() {
        let leads = character == '0' && !in_number;
        if leads && characters.peek().is_some_and(char::is_ascii_digit) {
            continue;
        }
        in_number = character.is_ascii_digit();
        shortest.push(character);
    }
    shortest
}

/// The natural key of an act.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActKey {
    /// The office of registration, as it was then.
    pub office_id: Uuid,
    pub kind: RegisterKind,
    /// Gregorian year of declaration.
    pub year: i16,
    pub part: RegisterPart,
    pub number: ActNumber,
}

/// A year of declaration that a register can have.
///
/// # Errors
/// [`KeyError::Year`].
pub fn year(year: i32, this_year: i32) -> Result<i16, KeyError> {
    i16::try_from(year)
        .ok()
        .filter(|year| (i32::from(FIRST_YEAR)..=this_year).contains(&i32::from(*year)))
        .ok_or(KeyError::Year)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> ActNumber {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_has_one_spelling() {
        for (typed, kept) in [
            ("123", "123"),
            (" 0123 ", "123"),
            ("123bis", "123 bis"),
            ("123 BIS", "123 bis"),
            ("١٢٣ مكرر", "123 bis"),
            ("123-ter", "123 ter"),
            ("7/A", "7 a"),
            ("۷", "7"),
        ] {
            assert_eq!(number(typed).as_str(), kept, "{typed}");
        }
        for bad in [
            "",
            "0",
            "bis",
            "1000000",
            "-1",
            "12 34",
            "12 encore",
            "12é",
            "99999999999",
        ] {
            assert_eq!(bad.parse::<ActNumber>(), Err(KeyError::Number), "{bad}");
        }
    }

    #[test]
    fn numbers_sort_as_in_the_register() {
        let texts = ["9", "9 bis", "9 ter", "9 quater", "9 a", "9 z", "10", "100"];
        let sorts: Vec<i32> = texts.iter().map(|text| number(text).sort()).collect();
        assert!(sorts.is_sorted(), "{sorts:?}");
        assert!(sorts[0] < sorts[1] && sorts[5] < sorts[6]);
    }

    #[test]
    fn parts_and_years_have_bounds() {
        assert_eq!("".parse::<RegisterPart>().unwrap().as_str(), "");
        assert_eq!("٢".parse::<RegisterPart>().unwrap().as_str(), "2");
        for (typed, kept) in [
            ("a1", "A1"),
            ("02", "2"),
            ("٠٢", "2"),
            ("00", "0"),
            ("10", "10"),
            ("a01b002", "A1B2"),
            ("a100", "A100"),
            ("0000000002", "2"),
        ] {
            assert_eq!(typed.parse::<RegisterPart>().unwrap().as_str(), kept, "{typed}");
        }
        assert!("1/2".parse::<RegisterPart>().is_err());
        assert!("123456789".parse::<RegisterPart>().is_err());
        assert_eq!(year(1984, 2026), Ok(1984));
        assert_eq!(year(1879, 2026), Err(KeyError::Year));
        assert_eq!(year(2027, 2026), Err(KeyError::Year));
        assert_eq!(year(70_000, 80_000), Err(KeyError::Year));
    }

    #[test]
    fn parts_stand_on_the_shelf_by_their_numbers() {
        let texts = ["", "2", "02A", "10", "A1", "A2", "A10", "B"];
        let orders: Vec<String> = texts
            .iter()
            .map(|text| text.parse::<RegisterPart>().unwrap().shelf_order())
            .collect();
        assert!(orders.is_sorted(), "{orders:?}");
    }

    proptest! {
        #[test]
        fn what_is_kept_is_read_back(n in 1i32..=999_999, suffix in prop::sample::select(vec!["", " bis", " ter", " quater", " b"])) {
            let kept = number(&format!("{n}{suffix}"));
            prop_assert_eq!(&number(kept.as_str()), &kept);
        }

        #[test]
        fn a_part_that_is_kept_is_read_back(text in "[0-9٠-٩A-C]{0,8}") {
            let kept: RegisterPart = text.parse().unwrap();
            prop_assert_eq!(kept.as_str().parse::<RegisterPart>().unwrap(), kept);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<ActNumber>();
            let _ = text.parse::<RegisterPart>();
        }
    }
}
