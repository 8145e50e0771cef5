//! Walks the texts of an act, knowing where it is.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization};

use super::Fault;
use crate::domain::act::{Bilingual, Declarant, Parent};
use crate::domain::fold::Script;
use crate::domain::text::is_unprintable;
use crate::domain::written_date::WrittenDate;

/// Longest text of a field, in characters.
const LONGEST: usize = 300;
/// Longest text of a marginal note.
const LONGEST_NOTE: usize = 4_000;
/// Oldest that a declarant can be.
const OLDEST: u8 = 130;

/// Where the walk is, and what it found wrong.
#[derive(Debug, Default)]
pub(super) struct Walk {
    at: Vec<Cow<'static, str>>,
    faults: Vec<Fault>,
}

impl Walk {
    /// Notes a fault of a field, whose name may itself be dotted.
    pub(super) fn fault(&mut self, field: &str, reason: &'static str, description: impl Into<String>) {
        let mut path = self.at.join(".");
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(field);
        self.faults.push(Fault::new(path, reason, description));
    }

    pub(super) fn within(&mut self, field: &'static str, walk: impl FnOnce(&mut Self)) {
        self.at.push(Cow::Borrowed(field));
        walk(self);
        self.at.pop();
    }

    pub(super) fn item(&mut self, field: &'static str, index: usize, walk: impl FnOnce(&mut Self)) {
        self.at.push(Cow::Owned(format!("{field}[{index}]")));
        walk(self);
        self.at.pop();
    }

    /// Nothing was wrong, or all of it.
    pub(super) fn finish(self) -> Result<(), Vec<Fault>> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(self.faults)
        }
    }

    /// A text of one line.
    pub(super) fn text(&mut self, field: &'static str, text: &mut String) {
        self.bounded(field, text, LONGEST);
    }

    /// A text in both scripts.
    pub(super) fn bilingual(&mut self, field: &'static str, text: &mut Bilingual) {
        if !text.is_empty() {
            self.both(field, text, LONGEST);
        }
    }

    /// A name in both scripts: there is a letter in it.
    pub(super) fn name(&mut self, field: &'static str, name: &mut Bilingual) {
        self.bilingual(field, name);
        self.within(field, |walk| {
            for (script, text) in [("arabic", &name.arabic), ("latin", &name.latin)] {
                if !text.is_empty() && !text.chars().any(char::is_alphabetic) {
                    walk.fault(script, "NAME_IMPOSSIBLE", "a name has letters");
                }
            }
        });
    }

    /// The text of a note, in both scripts.
    pub(super) fn note_text(&mut self, field: &'static str, text: &mut Bilingual) {
        self.both(field, text, LONGEST_NOTE);
    }

    pub(super) fn date(&mut self, field: &'static str, date: &mut WrittenDate) {
        if date.is_empty() {
            return;
        }
        self.within(field, |walk| {
            walk.text("hijri_arabic", &mut date.hijri_arabic);
            walk.text("hijri_latin", &mut date.hijri_latin);
            walk.text("gregorian_arabic", &mut date.gregorian_arabic);
            walk.text("gregorian_latin", &mut date.gregorian_latin);
        });
    }

    pub(super) fn parent(&mut self, parent: &mut Parent) {
        self.bilingual("given_name", &mut parent.given_name);
        self.bilingual("family_name", &mut parent.family_name);
        self.bilingual("nationality", &mut parent.nationality);
        self.date("birth_date", &mut parent.birth_date);
        self.bilingual("birth_place", &mut parent.birth_place);
        self.bilingual("profession", &mut parent.profession);
        self.bilingual("address", &mut parent.address);
    }

    pub(super) fn declarant(&mut self, declarant: &mut Declarant) {
        self.bilingual("name", &mut declarant.name);
        self.bilingual("relationship", &mut declarant.relationship);
        self.bilingual("profession", &mut declarant.profession);
        self.bilingual("nationality", &mut declarant.nationality);
        self.bilingual("address", &mut declarant.address);
        if declarant.age.is_some_and(|age| age > OLDEST) {
            self.fault("age", "OUT_OF_RANGE", "must be an age in years");
        }
    }

    fn both(&mut self, field: &'static str, text: &mut Bilingual, longest: usize) {
        self.within(field, |walk| {
            walk.bounded("arabic", &mut text.arabic, longest);
            walk.bounded("latin", &mut text.latin, longest);
            // Numbers and foreign words stand in either script; a text that is wholly in the other is in the wrong field.
            let arabic_is_latin =
                Script::of(&text.arabic) == Script::Latin && text.arabic.chars().any(char::is_alphabetic);
            if arabic_is_latin {
                walk.fault("arabic", "WRONG_SCRIPT", "must be in Arabic script");
            }
            if Script::of(&text.latin) == Script::Arabic {
                walk.fault("latin", "WRONG_SCRIPT", "must be in Latin script");
            }
        });
    }

    fn bounded(&mut self, field: &'static str, text: &mut String, longest: usize) {
        if text.is_empty() {
            return;
        }
        tidy(text);
        // Bytes first: they are counted already.
        if text.len() > longest && text.chars().count() > longest {
            self.fault(field, "LENGTH", format!("must have at most {longest} characters"));
        }
        if text.chars().any(is_unprintable) {
            let description = "must not have control or text-direction characters";
            self.fault(field, "UNPRINTABLE", description);
        }
    }
}

/// Canonically composed (Unicode UAX #15, NFC), one space between words and none at the ends.
fn tidy(text: &mut String) {
    if text.chars().any(may_compose) && unicode_normalization::is_nfc_quick(text.chars()) != IsNormalized::Yes
    {
        *text = text.nfc().collect();
    }
    let untidy = text.starts_with(char::is_whitespace)
        || text.ends_with(char::is_whitespace)
        || text.contains("  ")
        || text
            .chars()
            .any(|character| character != ' ' && character.is_whitespace());
    if untidy {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}

/// Whether a character is outside of the blocks that every act is written in and that are composed as they are: most texts are judged by this
/// alone.
fn may_compose(character: char) -> bool {
    !matches!(character, '\0'..='\u{2ff}' | '\u{600}'..='\u{60f}' | '\u{61b}'..='\u{64a}' | '\u{660}'..='\u{66f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_over_is_composed() {
        for character in (char::MIN..=char::MAX).filter(|character| !may_compose(*character)) {
            let text = character.to_string();
            assert_eq!(text.nfc().collect::<String>(), text);
            assert_eq!(
                unicode_normalization::char::canonical_combining_class(character),
                0
            );
        }
        let mut text = " Ele\u{300}ve  \u{627}\u{653}مال ".to_owned();
        tidy(&mut text);
        assert_eq!(text, "El\u{e8}ve \u{622}مال");
    }
}
