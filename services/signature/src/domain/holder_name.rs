//! Whether the name on a certificate is the name of a person.
//!
//! Authorities write names in their own way: capitals, the family name first, without accents, further given names left out. So
//! words are compared, not texts: every word on the certificate must be one of the person's, their whole family name and at
//! least one given name must be among them, all in one script.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::domain::person::Signer;

/// Whether a certificate's name (common name, or given name and surname) is this person's, in Latin or Arabic script.
pub fn is_name_of(name: &str, person: &Signer) -> bool {
    let on_certificate = words(name);
    let scripts = [
        (&person.given_name_latin, &person.family_name_latin),
        (&person.given_name_arabic, &person.family_name_arabic),
    ];
    scripts.into_iter().any(|(given, family)| {
        let (given, family) = (words(given), words(family));
        let all: BTreeSet<&String> = given.union(&family).collect();
        !family.is_empty()
            && family.is_subset(&on_certificate)
            && on_certificate.iter().all(|word| all.contains(word))
            && (given.is_empty() || !given.is_disjoint(&on_certificate))
    })
}

/// The words of a name without case, accents, vowel marks, and the Arabic letters' variants.
fn words(name: &str) -> BTreeSet<String> {
    let folded: String = name
        .nfkd()
        .filter(|letter| !is_combining_mark(*letter) && *letter != TATWEEL)
        .map(|letter| match letter {
            'ة' => 'ه',
            'ى' => 'ي',
            'ٱ' => 'ا',
            // An apostrophe joins, as in "N'Diaye"; everything else that is no letter separates.
            '\'' | '\u{2019}' | '\u{2bc}' => APOSTROPHE,
            other => other,
        })
        .filter(|letter| *letter != APOSTROPHE)
        .flat_map(char::to_lowercase)
        .collect();
    folded
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Stretches Arabic letters, and says nothing.
const TATWEEL: char = '\u{640}';
const APOSTROPHE: char = '\'';

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::person::IdentityDocumentKind;

    fn person(latin: [&str; 2], arabic: [&str; 2]) -> Signer {
        Signer {
            given_name_arabic: arabic[0].to_owned(),
            family_name_arabic: arabic[1].to_owned(),
            given_name_latin: latin[0].to_owned(),
            family_name_latin: latin[1].to_owned(),
            document_kind: IdentityDocumentKind::Cin,
            document_number: String::new(),
        }
    }

    #[test]
    fn names_are_the_same_however_an_authority_writes_them() {
        let youssef = person(["Youssef Réda", "El Amrani"], ["يوسف رضا", "العمراني"]);
        for name in [
            "Youssef Réda El Amrani",
            "EL AMRANI Youssef",
            "El-Amrani, Youssef Reda",
            "يوسف العمراني",
            "يُوسُف رضـا العمراني",
        ] {
            assert!(is_name_of(name, &youssef), "{name}");
        }
        for other in [
            "Youssef Amrani",
            "El Amrani",
            "Hassan El Amrani",
            "Youssef El Amrani Tazi",
            "Youssef",
            "",
            "Wathiq demonstration time-stamping",
        ] {
            assert!(!is_name_of(other, &youssef), "{other}");
        }
        let fatima = person(["Fatima-Zahra", "N'Diaye"], ["فاطمة الزهراء", "نداي"]);
        assert!(is_name_of("FATIMA ZAHRA NDIAYE", &fatima));
        assert!(is_name_of("فاطمه نداي", &fatima));
    }
}
