//! People as an order names them. Their names do not print.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::fault::Faults;
use crate::domain::fold::Script;
use crate::domain::text::is_unprintable;

/// Longest part of a name, in characters: given and family name together fit on a label.
const PART_LENGTH: usize = 58;

/// A name in both scripts, as on the identity document; one of them may be empty.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FullName {
    pub given_latin: String,
    pub family_latin: String,
    pub given_arabic: String,
    pub family_arabic: String,
}

impl fmt::Debug for FullName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FullName(..)")
    }
}

impl FullName {
    /// Nothing is given.
    pub fn is_empty(&self) -> bool {
        self.parts().iter().all(|(_, part)| part.is_empty())
    }

    /// Given and family name in Latin script, or nothing.
    pub fn latin(&self) -> String {
        joined(&self.given_latin, &self.family_latin)
    }

    /// Given and family name in Arabic script, or nothing.
    pub fn arabic(&self) -> String {
        joined(&self.given_arabic, &self.family_arabic)
    }

    /// In Latin script where it is given, otherwise in Arabic.
    pub fn shown(&self) -> String {
        let latin = self.latin();
        if latin.is_empty() { self.arabic() } else { latin }
    }

    /// Whether given and family name are there in a script.
    pub fn has_script(&self) -> bool {
        (!self.given_latin.is_empty() && !self.family_latin.is_empty())
            || (!self.given_arabic.is_empty() && !self.family_arabic.is_empty())
    }

    /// Whether both may be one person's name: given and family name fold to the same in a script that both have.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |script: Script, one: (&str, &str), other: (&str, &str)| {
            let whole = |name: (&str, &str)| !name.0.is_empty() && !name.1.is_empty();
            whole(one)
                && whole(other)
                && script.fold(one.0) == script.fold(other.0)
                && script.fold(one.1) == script.fold(other.1)
        };
        same(
            Script::Latin,
            (&self.given_latin, &self.family_latin),
            (&other.given_latin, &other.family_latin),
        ) || same(
            Script::Arabic,
            (&self.given_arabic, &self.family_arabic),
            (&other.given_arabic, &other.family_arabic),
        )
    }

    fn parts(&self) -> [(&'static str, &str); 4] {
        [
            ("given_latin", &self.given_latin),
            ("family_latin", &self.family_latin),
            ("given_arabic", &self.given_arabic),
            ("family_arabic", &self.family_arabic),
        ]
    }

    /// Trims the parts and notes what is wrong with them. Given and family name are needed in one script at least where the name is `required`,
    /// or begun.
    pub fn check(&mut self, faults: &mut Faults, required: bool) {
        for part in [
            &mut self.given_latin,
            &mut self.family_latin,
            &mut self.given_arabic,
            &mut self.family_arabic,
        ] {
            *part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        for (field, part) in self.parts() {
            check_part(faults, field, part);
        }
        if !self.has_script() && (required || !self.is_empty()) {
            faults.note(
                "",
                "NAME_INCOMPLETE",
                "given and family name are needed, in Latin or in Arabic script",
            );
        }
    }
}

fn check_part(faults: &mut Faults, field: &str, part: &str) {
    if part.chars().count() > PART_LENGTH {
        faults.note(
            field,
            "LENGTH",
            format!("must have at most {PART_LENGTH} characters"),
        );
    } else if part.chars().any(is_unprintable) {
        faults.note(
            field,
            "UNPRINTABLE",
            "must not have control or text-direction characters",
        );
    } else if part.chars().any(char::is_numeric) {
        faults.note(field, "NAME_IMPOSSIBLE", "a name has no digits");
    }
}

fn joined(given: &str, family: &str) -> String {
    format!("{given} {family}").trim().to_owned()
}

/// Who orders.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Applicant {
    pub name: FullName,
    pub birth_date: Option<NaiveDate>,
    /// As typed, or as identity knows it.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub identity_document: String,
    /// Contacts as identity knows them; empty where it was not asked.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub email: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub phone: String,
}

impl fmt::Debug for Applicant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Applicant(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut name: FullName, required: bool) -> Vec<(String, &'static str)> {
        let mut faults = Faults::default();
        faults.below("addressee", |faults| name.check(faults, required));
        let found = faults.into_found().into_iter();
        found.map(|fault| (fault.field, fault.reason)).collect()
    }

    #[test]
    fn a_name_is_whole_in_one_script() {
        let latin = FullName {
            given_latin: " Amina ".into(),
            family_latin: "El  Idrissi".into(),
            ..FullName::default()
        };
        assert_eq!(check(latin.clone(), true), []);
        let half = FullName {
            family_latin: String::new(),
            family_arabic: "الإدريسي".into(),
            ..latin
        };
        assert_eq!(check(half, false), [("addressee".to_owned(), "NAME_INCOMPLETE")]);
        assert_eq!(check(FullName::default(), false), []);
        assert_eq!(check(FullName::default(), true).len(), 1);
    }

    #[test]
    fn what_is_no_name_is_named_and_names_do_not_print() {
        let bad = FullName {
            given_latin: "Am1na".into(),
            family_latin: "x".repeat(59),
            given_arabic: "أم\u{202e}ينة".into(),
            family_arabic: "ا".into(),
        };
        assert!(!format!("{bad:?}").contains("Am1na"));
        let found = check(bad, true);
        let reasons: Vec<_> = found
            .iter()
            .map(|(field, reason)| (field.as_str(), *reason))
            .collect();
        assert_eq!(
            reasons,
            [
                ("addressee.given_latin", "NAME_IMPOSSIBLE"),
                ("addressee.family_latin", "LENGTH"),
                ("addressee.given_arabic", "UNPRINTABLE"),
            ]
        );
    }
}
