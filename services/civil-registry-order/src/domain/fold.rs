//! Names folded to a key, so that the ways in which one name is spelled meet. A key is stored with each act, one for each script;
//! whoever changes a rule must compute the stored keys again.
//!
//! Latin script, in this order:
//! 1. case, accents and apostrophes are dropped; hyphens, dots and spaces part words, and the words are joined at the end
//!    (Fatima-Zahra, Fatima Zahra, FatimaZahra);
//! 2. the article goes: `el`, `al`, `l` and, before sun letters, `es`, `en`, `er`, `et`, `ed`, `ez`, `ech`, also when written together
//!    with a word of some length (El Idrissi, Elidrissi, Idrissi; Errachidi, Rachidi), `al` only before another consonant than `l`;
//! 3. `ibn` is `ben`; after `abd` the article goes as well (Abdelkader, Abd El Kader; Abdellah, Abdallah);
//! 4. `kh` is `h`, `ch` and `sh` are `s`, `gh` is `g`, `th` is `t`, `dh` is `d`, `dj` is `j`, `ph` is `f`, `q` and hard `c` are `k`;
//! 5. doubled letters count once, and a `h` that ends a word after a vowel not at all (Mohammed, Mohamed; Fatimah,
//!    Fatima);
//! 6. vowels go, with `w` and `y`; one at the beginning leaves its trace (Ouahbi, Wahbi; Youssef, Yusuf; Ben, Bin).
//!
//! Arabic script:
//! 1. presentation forms, harakat and tatweel are dropped, words are joined at the end (عبد الله, عبدالله);
//! 2. alef forms are ا, alef maqsura and ئ are ي, ؤ is و, ة is ه, ء goes, and letters of Persian or of the Moroccan g are their Arabic
//!    neighbours;
//! 3. the article ال goes, also after عبد; ابن is بن; names of which an old spelling leaves a long vowel out have it (الرحمن, الرحمان).

mod arabic;
mod latin;

pub use arabic::arabic;
pub use latin::latin;

/// Parts the family name from the given name in a key; no folded name has it.
const PART: char = '|';
/// The character after [`PART`] in the order of bytes.
const AFTER_PART: char = '}';

/// Which script a name is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    Latin,
    Arabic,
}

impl Script {
    pub const ALL: [Self; 2] = [Self::Latin, Self::Arabic];

    /// The script of a text: Arabic as soon as one letter is.
    pub fn of(text: &str) -> Self {
        if text.chars().any(is_arabic) {
            Self::Arabic
        } else {
            Self::Latin
        }
    }

    /// The folded form of a name in this script.
    pub fn fold(self, name: &str) -> String {
        match self {
            Self::Latin => latin(name),
            Self::Arabic => arabic(name),
        }
    }

    /// The letters of a name in their plain forms, vowels and all; words parted by one space or more.
    pub fn plain(self, name: &str) -> String {
        match self {
            Self::Latin => latin::plain(name),
            Self::Arabic => arabic::plain(name),
        }
    }

    /// The key of a person: family name, then given name. `None` where the act has neither in this script.
    pub fn key(self, family: &str, given: &str) -> Option<String> {
        let (family, given) = (self.fold(family), self.fold(given));
        (!family.is_empty() || !given.is_empty()).then(|| format!("{family}{PART}{given}"))
    }
}

impl Script {
    /// The span of this one key, as [`family_span`].
    pub fn key_span(self, family: &str, given: &str) -> Option<(String, String)> {
        let key = self.key(family, given)?;
        // No folded name has a space.
        let end = format!("{key} ");
        Some((key, end))
    }
}

/// The span of keys of one family name, from the first to before the second, in the order of bytes.
pub fn family_span(folded_family: &str) -> (String, String) {
    (
        format!("{folded_family}{PART}"),
        format!("{folded_family}{AFTER_PART}"),
    )
}

/// The span of keys whose family name begins like this one.
pub fn family_neighbours(folded_family: &str) -> (String, String) {
    const LETTERS: usize = 2;
    let beginning: String = folded_family.chars().take(LETTERS).collect();
    let end = format!("{beginning}{}", char::MAX);
    (beginning, end)
}

/// How alike two spellings are, 0 to 1: 1 less the share of letters to change (Levenshtein), and nearly 1 for the same fold.
pub fn likeness(script: Script, one: &str, other: &str) -> f32 {
    const SAME_FOLD: f32 = 0.9;
    let letters = |text: &str| -> Vec<char> {
        text.chars()
            .filter(|character| character.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let (left, right) = (letters(one), letters(other));
    let longest = left.len().max(right.len());
    if longest == 0 {
        return 0.0;
    }
    let share = 1.0 - distance(&left, &right) as f32 / longest as f32;
    if share < 1.0 && script.fold(one) == script.fold(other) {
        return share.max(SAME_FOLD);
    }
    share
}

fn distance(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

fn is_arabic(character: char) -> bool {
    matches!(character, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
}

#[cfg(test)]
mod tests;
