//! Names in one script each. A legalisation names the signer in Arabic and in Latin letters.

use super::redacted;

const MAX_CHARACTERS: usize = 80;

/// A name in one script.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonName {
    given: String,
    family: String,
}

redacted!(PersonName);

/// The scripts a name is asked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    Arabic,
    Latin,
}

/// Why a part of a name is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the name is missing")]
    Missing,
    #[error("the name is longer than {MAX_CHARACTERS} characters")]
    TooLong,
    #[error("the name is not in Arabic letters")]
    NotArabic,
    #[error("the name is not in Latin letters")]
    NotLatin,
}

impl NameError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "REQUIRED",
            Self::TooLong => "TOO_LONG",
            Self::NotArabic => "NOT_ARABIC_SCRIPT",
            Self::NotLatin => "NOT_LATIN_SCRIPT",
        }
    }
}

impl PersonName {
    /// # Errors
    /// For each part that is not taken, its field (`given`, `family`) and why.
    pub fn parse(script: Script, given: &str, family: &str) -> Result<Self, Vec<(&'static str, NameError)>> {
        match (part(script, given), part(script, family)) {
            (Ok(given), Ok(family)) => Ok(Self { given, family }),
            (given, family) => Err([("given", given.err()), ("family", family.err())]
                .into_iter()
                .filter_map(with_error)
                .collect()),
        }
    }

    /// A name that was parsed before and comes back from the store.
    pub fn stored(given: String, family: String) -> Self {
        Self { given, family }
    }

    pub fn given(&self) -> &str {
        &self.given
    }

    pub fn family(&self) -> &str {
        &self.family
    }

    /// Given name, then family name.
    pub fn display(&self) -> String {
        format!("{} {}", self.given, self.family)
    }
}

fn with_error((field, error): (&'static str, Option<NameError>)) -> Option<(&'static str, NameError)> {
    error.map(|error| (field, error))
}

fn part(script: Script, text: &str) -> Result<String, NameError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return Err(NameError::Missing);
    }
    if text.chars().count() > MAX_CHARACTERS {
        return Err(NameError::TooLong);
    }
    let is_letter: fn(char) -> bool = match script {
        Script::Arabic => is_arabic,
        Script::Latin => is_latin,
    };
    let well_formed = text.chars().all(|c| is_letter(c) || is_joiner(c)) && text.chars().any(is_letter);
    match (well_formed, script) {
        (true, _) => Ok(text),
        (false, Script::Arabic) => Err(NameError::NotArabic),
        (false, Script::Latin) => Err(NameError::NotLatin),
    }
}

fn is_joiner(c: char) -> bool {
    matches!(c, ' ' | '-' | '\'' | '\u{2019}' | '.')
}

fn is_arabic(c: char) -> bool {
    // Letters, harakat and tatweel; not the digits and punctuation of the same blocks.
    matches!(c, '\u{0620}'..='\u{065f}' | '\u{066e}'..='\u{06d3}' | '\u{0750}'..='\u{077f}' | '\u{08a0}'..='\u{08b4}' | '\u{fe70}'..='\u{fefc}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (matches!(c, '\u{00c0}'..='\u{024f}' | '\u{1e00}'..='\u{1eff}') && c.is_alphabetic())
        || c == '\u{02bf}'
        || c == '\u{02be}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_takes_its_own_letters() {
        let name = PersonName::parse(Script::Arabic, " أمينة ", "الإدريسي  العلوي").unwrap();
        assert_eq!((name.given(), name.family()), ("أمينة", "الإدريسي العلوي"));
        let name = PersonName::parse(Script::Latin, "Zoë-Amina", "El Idrissi O'Hara").unwrap();
        assert_eq!(name.display(), "Zoë-Amina El Idrissi O'Hara");
    }

    #[test]
    fn every_bad_part_is_named() {
        assert_eq!(
            PersonName::parse(Script::Arabic, "Amina", ""),
            Err(vec![
                ("given", NameError::NotArabic),
                ("family", NameError::Missing)
            ])
        );
        assert_eq!(
            PersonName::parse(Script::Latin, "أمينة", "X\u{202e}Y"),
            Err(vec![
                ("given", NameError::NotLatin),
                ("family", NameError::NotLatin)
            ])
        );
        assert_eq!(
            PersonName::parse(Script::Latin, &"a".repeat(81), "- -"),
            Err(vec![
                ("given", NameError::TooLong),
                ("family", NameError::NotLatin)
            ])
        );
    }
}
