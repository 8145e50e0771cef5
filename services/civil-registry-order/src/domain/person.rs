//! People as an order names them. Their names do not print.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use wathiq_postal_address::party;

use crate::domain::fault::Faults;
use crate::domain::fold::Script;
use crate::domain::same_name::same_name;
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
        Script::ALL
            .into_iter()
            .any(|script| self.in_script(script).is_some())
    }

    /// Whether both are one name, strictly: given and family name are the same in every script that both have, and they have one.
    pub fn is_same(&self, other: &Self) -> bool {
        let compared = Script::ALL.into_iter().filter_map(|script| {
            let (one, other) = (self.in_script(script)?, other.in_script(script)?);
            Some(same_name(script, one.0, other.0) && same_name(script, one.1, other.1))
        });
        compared.reduce(|one, other| one && other).unwrap_or(false)
    }

    /// Whether given and family name are there in a script that the other has too.
    pub fn shares_script(&self, other: &Self) -> bool {
        Script::ALL
            .into_iter()
            .any(|script| self.in_script(script).is_some() && other.in_script(script).is_some())
    }

    /// Given and family name in a script, where both are there.
    pub fn in_script(&self, script: Script) -> Option<(&str, &str)> {
        let (given, family) = match script {
            Script::Latin => (&self.given_latin, &self.family_latin),
            Script::Arabic => (&self.given_arabic, &self.family_arabic),
        };
        (!given.is_empty() && !family.is_empty()).then_some((given, family))
    }

    fn parts(&self) -> [(&'static str, &str); 4] {
        [
            ("given_latin", &self.given_latin),
            ("family_latin", &self.family_latin),
            ("given_arabic", &self.given_arabic),
            ("family_arabic", &self.family_arabic),
        ]
    }

    /// The name as it stands on a parcel.
    fn check_as_the_post(&self, faults: &mut Faults) {
        let found = party::name(&self.latin(), &self.arabic());
        for fault in found.err().unwrap_or_default() {
            let field = match fault.field.as_str() {
                "latin" => "given_latin",
                "arabic" => "given_arabic",
                _ => "",
            };
            faults.note(field, fault.reason, fault.description);
        }
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
        let mut printable = true;
        for (field, part) in self.parts() {
            printable &= check_part(faults, field, part);
        }
        if printable && self.has_script() {
            self.check_as_the_post(faults);
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

fn check_part(faults: &mut Faults, field: &str, part: &str) -> bool {
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
    } else {
        return true;
    }
    false
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
    /// An official, or a national identity provider, vouched for name and birth date; otherwise they are what somebody says.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub proved: bool,
}

impl fmt::Debug for Applicant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Applicant(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn scripts_that_both_have_must_agree() {
        let both = FullName {
            given_latin: "Hassan".into(),
            family_latin: "El Idrissi".into(),
            given_arabic: "حسن".into(),
            family_arabic: "الإدريسي".into(),
        };
        let latin = FullName {
            given_arabic: String::new(),
            family_arabic: String::new(),
            ..both.clone()
        };
        let arabic = FullName {
            given_latin: String::new(),
            family_latin: String::new(),
            ..both.clone()
        };
        assert!(both.is_same(&latin) && both.is_same(&arabic) && both.is_same(&both));
        assert!(!latin.is_same(&arabic) && !latin.shares_script(&arabic));
        let other = FullName {
            given_arabic: "حسين".into(),
            ..both.clone()
        };
        assert!(
            !both.is_same(&other),
            "the Latin names agree, the Arabic ones do not"
        );
        assert!(!FullName::default().is_same(&FullName::default()));
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

    #[test]
    fn what_the_post_would_refuse_is_refused_here() {
        let name = |latin: [&str; 2], arabic: [&str; 2]| FullName {
            given_latin: latin[0].into(),
            family_latin: latin[1].into(),
            given_arabic: arabic[0].into(),
            family_arabic: arabic[1].into(),
        };
        let reasons = |name: FullName| -> Vec<&'static str> {
            check(name, true).into_iter().map(|(_, reason)| reason).collect()
        };
        assert_eq!(
            reasons(name(["Amina", "Alami"], ["Amina", "Alami"])),
            ["WRONG_SCRIPT"]
        );
        assert_eq!(reasons(name(["أمينة", "العلمي"], ["", ""])), ["WRONG_SCRIPT"]);
        assert_eq!(
            reasons(name(["Ami\u{200b}na", "Alami"], ["", ""])),
            ["UNPRINTABLE"]
        );
        assert_eq!(reasons(name(["=Amina", "Alami"], ["", ""])), ["MALFORMED"]);
        assert_eq!(reasons(name(["-", "."], ["", ""])), ["MALFORMED"]);
        assert_eq!(
            reasons(name(["'Abd", "Alami"], ["أمينة", "العلمي"])),
            Vec::<&str>::new()
        );
    }

    proptest! {
        /// Whatever is accepted here, the post takes.
        #[test]
        fn accepted_here_is_accepted_by_the_post(parts in prop::array::uniform4("[a-zA-Z=+'(.\u{200b}ابتثجڭگ -]{0,60}|[a-z]{1,12}|[ابتث]{1,12}|")) {
            let [given_latin, family_latin, given_arabic, family_arabic] = parts;
            let name = FullName { given_latin, family_latin, given_arabic, family_arabic };
            let mut checked = name.clone();
            let mut faults = Faults::default();
            checked.check(&mut faults, true);
            if faults.is_empty() {
                prop_assert!(party::name(&checked.latin(), &checked.arabic()).is_ok());
            }
        }
    }
}
