//! The fonts compiled into the binary, described at once and parsed when first used.

use std::sync::OnceLock;

use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};

/// Amiri for Arabic, Noto Sans for Latin, Greek and Cyrillic, Noto Sans Tifinagh for Tamazight.
/// All under the SIL Open Font License (`fonts/OFL.txt`).
const FILES: [&[u8]; 5] = [
    include_bytes!("../fonts/Amiri-Regular.ttf"),
    include_bytes!("../fonts/Amiri-Bold.ttf"),
    include_bytes!("../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../fonts/NotoSans-Bold.ttf"),
    include_bytes!("../fonts/NotoSansTifinagh-Regular.ttf"),
];

/// The embedded fonts.
pub(crate) struct Fonts {
    parsed: [OnceLock<Option<Font>>; FILES.len()],
}

impl Fonts {
    /// Describes every font without keeping it parsed: name, variant and the characters it covers.
    pub(crate) fn describe() -> (Self, FontBook) {
        let infos = FILES
            .iter()
            .map(|file| FontInfo::new(file, 0).expect("an embedded font is a valid font file"));
        (
            Self {
                parsed: std::array::from_fn(|_| OnceLock::new()),
            },
            FontBook::from_infos(infos),
        )
    }

    /// The font at `index` of the book, or nothing when the index is out of range.
    pub(crate) fn get(&self, index: usize) -> Option<Font> {
        let file = FILES.get(index)?;
        self.parsed
            .get(index)?
            .get_or_init(|| Font::new(Bytes::new(file), 0))
            .clone()
    }
}

/// Whether a single font of the book draws every character of `cluster`. A cluster is shaped in one
/// font, so covering its parts in different fonts is not enough.
pub(crate) fn draws(book: &FontBook, cluster: &str) -> bool {
    (0..).map_while(|index| book.info(index)).any(|font| {
        cluster
            .chars()
            .all(|character| font.coverage.contains(u32::from(character)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_that_templates_name_are_there() {
        let (_, book) = Fonts::describe();
        for family in ["amiri", "noto sans", "noto sans tifinagh"] {
            assert!(book.contains_family(family), "{family}");
        }
    }

    #[test]
    fn every_described_font_also_parses() {
        let (fonts, _) = Fonts::describe();
        for index in 0..FILES.len() {
            assert!(fonts.get(index).is_some(), "font {index}");
        }
        assert!(fonts.get(FILES.len()).is_none());
    }

    #[test]
    fn the_scripts_of_the_country_are_covered() {
        let (_, book) = Fonts::describe();
        let arabic = "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةىﻻپڤڭگچ،؛؟٪ـ";
        let latin = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\
                     àâäçéèêëîïôöœùûüÿæÀÂÄÇÉÈÊËÎÏÔÖŒÙÛÜŸÆñßḍḥṛṣṭẓɛɣḌḤṚṢṬẒ«»“”’–—…°№€©";
        // The 33 letters of the Moroccan alphabet fixed by IRCAM, and the labialisation mark.
        let tifinagh = "ⴰⴱⴳⴷⴹⴻⴼⴽⵀⵃⵄⵅⵇⵉⵊⵍⵎⵏⵓⵔⵕⵖⵙⵚⵛⵜⵟⵡⵢⵣⵥⵯ";
        for character in arabic.chars().chain(latin.chars()).chain(tifinagh.chars()) {
            assert!(draws(&book, character.encode_utf8(&mut [0; 4])), "{character}");
        }
    }

    #[test]
    fn a_cluster_split_over_two_fonts_is_not_drawn() {
        let (_, book) = Fonts::describe();
        assert!(draws(&book, "e\u{301}"));
        assert!(
            !draws(&book, "ⴰ\u{64e}"),
            "a Tifinagh letter with an Arabic vowel sign"
        );
        assert!(!draws(&book, "😀"));
    }
}
