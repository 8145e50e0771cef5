//! Letters of the Arabic script that are written in several ways, and stand for one in names.

/// The plain form of a letter: alefs without hamza, ya, waw, ta marbuta as ha, and the letters for g, p, v and ch as those that stand for them
/// where a keyboard has none. Any other character is its own plain form.
pub fn plain(letter: char) -> char {
    match letter {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ئ' | 'ی' => 'ي',
        'ؤ' => 'و',
        'ة' => 'ه',
        // Keheh, and the letters for g: gaf, ng, and kaf with three dots below (U+06AE) or above (U+0763).
        'ک' | 'گ' | 'ڭ' | 'ڮ' | 'ݣ' => 'ك',
        'ڤ' | 'ڥ' => 'ف',
        'پ' => 'ب',
        'چ' => 'ج',
        other => other,
    }
}

/// A mark on or in a word that names are written with or without: vowels, hamza above and below, the small alef, tatweel.
pub fn is_mark(character: char) -> bool {
    matches!(character, '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{06d6}'..='\u{06dc}' | '\u{06df}'..='\u{06e8}' | '\u{06ea}'..='\u{06ed}' | '\u{0640}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_one_name_are_one() {
        for g in ['\u{06a9}', '\u{06af}', '\u{06ad}', '\u{06ae}', '\u{0763}'] {
            assert_eq!(plain(g), '\u{0643}', "{g}");
        }
        for letter in 'ا'..='ي' {
            assert_eq!(plain(plain(letter)), plain(letter), "{letter}");
        }
        assert_eq!(plain('a'), 'a');
        assert!(is_mark('\u{064e}') && is_mark('\u{0640}') && !is_mark('ب'));
    }
}
