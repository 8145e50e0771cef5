//! Arabic script.

use unicode_normalization::UnicodeNormalization;
use wathiq_postal_address::arabic as letters;

const ARTICLE: &str = "ال";
const SERVANT: &str = "عبد";
/// A word loses the article only when this many letters stay: الله does.
const LEFT_OF_WORD: usize = 2;

/// Folds a name.
pub fn arabic(name: &str) -> String {
    let plain = plain(name);
    let mut joined = String::with_capacity(plain.len());
    for word in plain.split(' ').filter(|word| !word.is_empty()) {
        match word {
            "ابن" => joined.push_str("بن"),
            _ => match word.strip_prefix(SERVANT) {
                Some(rest) => {
                    joined.push_str(SERVANT);
                    joined.push_str(spelled_out(without_article(rest)));
                }
                None => joined.push_str(spelled_out(without_article(word))),
            },
        }
    }
    joined
}

/// Names whose long vowel the old spelling leaves out, in the spelling that has it.
fn spelled_out(word: &str) -> &str {
    match word {
        "رحمن" => "رحمان",
        "اسمعيل" => "اسماعيل",
        "اسحق" => "اسحاق",
        "ابرهيم" => "ابراهيم",
        "هرون" => "هارون",
        "سليمن" => "سليمان",
        "عثمن" => "عثمان",
        "سفين" => "سفيان",
        "داوود" => "داود",
        _ => word,
    }
}

fn without_article(word: &str) -> &str {
    match word.strip_prefix(ARTICLE) {
        Some(rest) if rest.chars().count() >= LEFT_OF_WORD => rest,
        _ => word,
    }
}

/// Letters in their plain forms; words parted by one space or more.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut push = |character: char| match character {
        // Harakat, the small alef, tatweel, the lone hamza.
        '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' | 'ء' => {}
        _ if character.is_alphanumeric() => plain.extend(letters::plain(character).to_lowercase()),
        // Marks and joiners stand inside words.
        '\u{200c}' | '\u{200d}' | '\'' | '’' => {}
        _ if unicode_normalization::char::is_combining_mark(character) => {}
        _ => plain.push(' '),
    };
    if name.chars().any(|character| character >= '\u{fb50}') {
        name.nfkc().for_each(&mut push);
    } else {
        name.chars().for_each(&mut push);
    }
    plain
}
