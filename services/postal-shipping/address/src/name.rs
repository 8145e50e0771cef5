//! Names in two scripts, and whether what a postman wrote is one of them.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::arabic;

/// A full name; at least one of the two is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyName {
    pub latin: Option<String>,
    pub arabic: Option<String>,
}

impl PartyName {
    /// Whether this text names the same person: case, accents, vowel marks, spaces, hyphens and the variants of Arabic
    /// letters do not count, nor does whether the family name comes first or last.
    pub fn matches(&self, written: &str) -> bool {
        let written = Folded::new(written);
        self.scripts().any(|name| Folded::new(name).is_same(&written))
    }

    /// The name in each script it is given in.
    pub fn scripts(&self) -> impl Iterator<Item = &str> {
        self.latin.as_deref().into_iter().chain(self.arabic.as_deref())
    }
}

/// The words of a name without what does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded(Vec<String>);

impl Folded {
    pub fn new(name: &str) -> Self {
        let mut words = vec![String::new()];
        for character in name.nfkd().filter_map(fold) {
            match (character, words.last_mut()) {
                (' ', Some(last)) if last.is_empty() => {}
                (' ', _) => words.push(String::new()),
                (letter, Some(last)) => last.push(letter),
                (letter, None) => words.push(letter.to_string()),
            }
        }
        words.retain(|word| !word.is_empty());
        Self(words)
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn is_same(&self, other: &Self) -> bool {
        if self.0.is_empty() || other.0.is_empty() {
            return false;
        }
        let sorted = |folded: &Self| {
            let mut words = folded.0.clone();
            words.sort_unstable();
            words
        };
        if sorted(self) == sorted(other) {
            return true;
        }
        // "El Alaoui Mohamed" and "Mohamed Elalaoui": the same letters once family and given names change places.
        let whole = other.0.concat();
        (0..self.0.len()).any(|start| {
            let (last, first) = self.0.split_at(start);
            first.concat() + &last.concat() == whole
        })
    }
}

/// The character that counts for a decomposed one: none for marks, a space for what separates words.
fn fold(character: char) -> Option<char> {
    let folded = match character {
        // Latin accents.
        '\u{0300}'..='\u{036f}' => return None,
        mark if arabic::is_mark(mark) => return None,
        // Apostrophes are written or not.
        '\'' | '\u{2019}' | '\u{02bc}' | '\u{02bf}' | '\u{02be}' | '`' => return None,
        'œ' | 'Œ' => 'o',
        other if other.is_alphanumeric() => arabic::plain(other).to_lowercase().next()?,
        _ => ' ',
    };
    Some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(latin: &str, arabic: &str) -> PartyName {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        PartyName {
            latin: text(latin),
            arabic: text(arabic),
        }
    }

    #[test]
    fn the_same_person_is_recognised() {
        let person = name("Mohamed-Amine El Alaoui", "محمد أمين العلوي");
        for written in [
            "MOHAMED AMINE EL ALAOUI",
            "El Alaoui Mohamed Amine",
            "ELALAOUI Mohamed-Amine",
            "  mohamed   amine elalaoui ",
            "محمد امين العلوي",
            "العلوى محمد أمين",
            "مُحَمَّد أمين العلوي",
            "محمّـد أمين العلوي",
        ] {
            assert!(person.matches(written), "{written}");
        }
    }

    #[test]
    fn letters_with_marks_and_without_are_the_same() {
        assert!(name("Zoé Benkirane", "").matches("ZOE BENKIRANE"));
        assert!(name("Aït-Ben'Ali Hélène", "").matches("helene ait benali"));
        assert!(name("", "فاطمة الزهراء").matches("فاطمه الزهراء"));
        assert!(name("", "عبد الله").matches("عبدالله"));
        // The Moroccan g, as it is written and as keyboards have it.
        for g in ['ڭ', 'ڮ', 'گ', 'ݣ', 'ك'] {
            assert!(name("", "أڭادير").matches(&format!("أ{g}ادير")), "{g}");
        }
    }

    #[test]
    fn others_are_not() {
        let person = name("Mohamed Alaoui", "محمد العلوي");
        for written in [
            "Ahmed Alaoui",
            "Mohamed",
            "Alaoui",
            "",
            " - ",
            "Mohamed Alaoui Filali",
            "أحمد العلوي",
            "Alaoui Mohame",
        ] {
            assert!(!person.matches(written), "{written}");
        }
        assert!(!name("", "").matches(""));
    }
}
