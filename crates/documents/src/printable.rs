//! Makes any text printable: what no font draws and what would reorder a line becomes a visible mark.

use std::fmt::Write;

use serde_json::Value;
use typst::text::FontBook;
use unicode_segmentation::UnicodeSegmentation;

use crate::fonts;

/// A letter of any language the fonts cover carries at most this many marks; more is an attempt to
/// draw over the neighbouring lines.
const MARKS_AT_MOST: usize = 4;

/// The same JSON with every string made printable. Object keys are the template's own and stay.
pub(crate) fn value(data: &Value, book: &FontBook) -> Value {
    match data {
        Value::String(string) => Value::String(text(string, book)),
        Value::Array(items) => items.iter().map(|item| value(item, book)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, field)| (key.clone(), value(field, book)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => data.clone(),
    }
}

/// `text` as it can be printed.
///
/// Line breaks, tabs and other control characters become a space; invisible hints (soft hyphen, byte
/// order mark, direction marks, variation selectors) vanish; direction overrides, private-use
/// characters and everything without a glyph are printed as their code point, `[U+202E]`.
fn text(text: &str, book: &FontBook) -> String {
    // Most values: letters, digits and signs of ASCII, each by itself.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut printed = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        if cluster.chars().all(is_break) {
            printed.push(' ');
        } else if is_plain(cluster) && fonts::draws(book, cluster) {
            printed.push_str(cluster);
        } else {
            spell_out(cluster, book, &mut printed);
        }
    }
    printed
}

/// Few enough characters to stay on the line, none of them special.
fn is_plain(cluster: &str) -> bool {
    let special = |character| is_break(character) || is_invisible(character) || is_refused(character);
    cluster.chars().count() <= 1 + MARKS_AT_MOST && !cluster.chars().any(special)
}

fn is_break(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Explicit directional formatting (Unicode Standard Annex 9, sections 2.1 to 2.5) would reorder the
/// text around it; private-use characters have no meaning and are refused by ISO 19005-2, 6.2.11.7.3.
fn is_refused(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e000}'..='\u{f8ff}')
}

/// Characters without a shape of their own whose loss changes nothing a reader sees. Joiners are not
/// among them: they decide how Arabic letters connect.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}'..='\u{2064}'
            | '\u{206a}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
    )
}

/// Prints a cluster character by character: the letter or digit it begins with stays where a font draws it,
/// the rest appears as code points.
fn spell_out(cluster: &str, book: &FontBook, printed: &mut String) {
    let joiner = |character| matches!(character, '\u{200c}' | '\u{200d}');
    let visible =
        |character: &char| !is_break(*character) && !is_invisible(*character) && !joiner(*character);
    for (index, character) in cluster
        .chars()
        .filter(visible)
        .take(1 + MARKS_AT_MOST)
        .enumerate()
    {
        if index == 0 && character.is_alphanumeric() && fonts::draws(book, character.encode_utf8(&mut [0; 4]))
        {
            printed.push(character);
        } else {
            write!(printed, "[U+{:04X}]", u32::from(character)).expect("a string accepts every write");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fonts::Fonts;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        let (_, book) = Fonts::describe();
        assert_eq!(text(input, &book), expected);
    }

    #[test]
    fn names_stay_as_they_are() {
        for name in [
            "Amina El Idrissi-Ouazzani",
            "أمينة الإدريسي",
            "محمّد",
            "ⴰⵎⵉⵏⴰ",
            "Zoé Nuñez",
            "e\u{301}",
            "می\u{200c}خواهم",
        ] {
            check(name, name);
        }
    }

    #[test]
    fn markup_is_only_text() {
        let markup = "#panic(\"x\") *bold* $x$ <a> @b `c` \\ // [d]";
        check(markup, markup);
    }

    #[test]
    fn direction_overrides_are_shown_instead_of_obeyed() {
        check("abc\u{202e}def", "abc[U+202E]def");
        check("\u{2067}x\u{2069}", "[U+2067]x[U+2069]");
    }

    #[test]
    fn what_no_font_draws_is_named() {
        check("A😀", "A[U+1F600]");
        check("\u{e000}", "[U+E000]");
        check("ⴰ\u{64e}", "ⴰ[U+064E]");
    }

    #[test]
    fn line_breaks_and_hints_do_not_survive() {
        check("a\r\nb\tc\u{2028}d\0e", "a b c d e");
        check("\u{feff}a\u{ad}b\u{200e}", "ab");
    }

    #[test]
    fn a_pile_of_marks_is_cut() {
        let printed = {
            let (_, book) = Fonts::describe();
            text(&format!("a{}", "\u{301}".repeat(200)), &book)
        };
        assert_eq!(printed, "a[U+0301][U+0301][U+0301][U+0301]");
    }

    #[test]
    fn strings_change_everywhere_and_nothing_else_does() {
        let (_, book) = Fonts::describe();
        let data = json!({"a": ["\u{202e}", {"b": "x\ny"}], "n": 3, "t": true, "z": null});
        let expected = json!({"a": ["[U+202E]", {"b": "x y"}], "n": 3, "t": true, "z": null});
        assert_eq!(value(&data, &book), expected);
    }
}
