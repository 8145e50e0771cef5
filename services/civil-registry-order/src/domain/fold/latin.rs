//! Latin script.

use unicode_normalization::UnicodeNormalization;

/// Words that are the article alone.
const ARTICLES: &[&str] = &["el", "al", "l", "es", "en", "er", "et", "ed", "ez", "ech", "esh"];
/// A word loses a joined article only when this many letters stay.
const LEFT_OF_WORD: usize = 4;
/// Leaves the trace of a vowel at the beginning.
const VOWEL: char = 'a';

/// Folds a name.
pub fn latin(name: &str) -> String {
    let plain = plain(name);
    let mut joined = String::with_capacity(plain.len());
    for word in plain.split(' ').filter(|word| !word.is_empty()) {
        if !ARTICLES.contains(&word) {
            let start = joined.len();
            without_article(word, &mut joined);
            trim_silent(start, &mut joined);
        }
    }
    // A name that is nothing but an article is itself.
    if joined.is_empty() {
        joined = plain.replace(' ', "");
    }
    skeleton(&joined)
}

/// Lower case, without accents and apostrophes; words parted by one space or more.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut push = |character: char| match character {
        'a'..='z' | '0'..='9' => plain.push(character),
        'A'..='Z' => plain.push(character.to_ascii_lowercase()),
        '\'' | '’' | '‘' | 'ʼ' | 'ʿ' | 'ʾ' | '`' => {}
        'œ' | 'Œ' => plain.push_str("oe"),
        'æ' | 'Æ' => plain.push_str("ae"),
        'ß' => plain.push_str("ss"),
        _ if character.is_alphanumeric() => plain.extend(character.to_lowercase()),
        _ if unicode_normalization::char::is_combining_mark(character) => {}
        _ => plain.push(' '),
    };
    if name.is_ascii() {
        name.chars().for_each(&mut push);
    } else {
        name.nfd().for_each(&mut push);
    }
    plain
}

/// Appends the word as it is without an article joined to it.
fn without_article(word: &str, joined: &mut String) {
    if word == "ibn" {
        joined.push_str("ben");
        return;
    }
    if let Some(rest) = word.strip_prefix("abd") {
        joined.push_str("abd");
        let after_vowels = rest.trim_start_matches(['a', 'e', 'i', 'o', 'u']);
        let article = rest.len() > after_vowels.len() && after_vowels.starts_with('l');
        joined.push_str(if article { &after_vowels[1..] } else { rest });
        return;
    }
    // The name of God is met after `abd` in a word of its own.
    if word == "allah" || word == "ellah" {
        joined.push_str("lah");
        return;
    }
    let mut word = word;
    while let Some(rest) = shorter(word) {
        word = rest;
    }
    joined.push_str(word);
}

/// The word without the article it begins with.
fn shorter(word: &str) -> Option<&str> {
    let rest = word
        .strip_prefix("el")
        // Alaoui, Alami and Allali begin with no article.
        .or_else(|| {
            word.strip_prefix("al")
                .filter(|rest| !rest.starts_with(['a', 'e', 'i', 'o', 'u', 'y', 'l']))
        })
        .or_else(|| {
            let letters = word.strip_prefix('e')?.as_bytes();
            let [first, second, ..] = letters else { return None };
            (first == second && b"tdrzsn".contains(first)).then(|| &word[2..])
        })?;
    (rest.chars().count() >= LEFT_OF_WORD).then_some(rest)
}

/// Consonants as they sound alike, each run once.
fn skeleton(joined: &str) -> String {
    let letters: Vec<char> = joined.chars().collect();
    let mut sounds = Vec::with_capacity(letters.len());
    let mut index = 0;
    while let Some(letter) = letters.get(index).copied() {
        let next = letters.get(index + 1).copied();
        let (sound, taken) = sound(letter, next);
        index += taken;
        if sounds.last() != Some(&sound) {
            sounds.push(sound);
        }
    }
    let mut folded = String::with_capacity(sounds.len());
    for (place, sound) in sounds.into_iter().enumerate() {
        if sound != VOWEL || place == 0 {
            folded.push(sound);
        }
    }
    folded
}

/// A final `h` after a vowel is not heard. The word begins at `start`.
fn trim_silent(start: usize, joined: &mut String) {
    let word = &joined[start..];
    if word.len() > 2
        && ["ah", "eh", "ih", "oh", "uh"]
            .iter()
            .any(|end| word.ends_with(end))
    {
        joined.pop();
    }
}

fn sound(letter: char, next: Option<char>) -> (char, usize) {
    match (letter, next) {
        ('k', Some('h')) => ('h', 2),
        ('c' | 's', Some('h')) => ('s', 2),
        ('g', Some('h')) => ('g', 2),
        ('t', Some('h')) => ('t', 2),
        ('d', Some('h')) => ('d', 2),
        ('d', Some('j')) => ('j', 2),
        ('p', Some('h')) => ('f', 2),
        ('c', Some('e' | 'i' | 'y')) => ('s', 1),
        ('c' | 'q', _) => ('k', 1),
        ('a' | 'e' | 'i' | 'o' | 'u' | 'w' | 'y', _) => (VOWEL, 1),
        _ => (letter, 1),
    }
}
