//! Whether two spellings are one name where a right depends on it. Stricter than the folds of the search: letters count, vowels too. Only
//! case, accents, hyphens, spaces, the article and the variants of an Arabic letter do not.

use crate::domain::fold::Script;

/// The article before a family name in Arabic script.
const ARTICLE: &str = "ال";
/// A word keeps the article unless this many letters stay.
const LEFT_OF_WORD: usize = 2;
/// The article in Latin script, as a word of its own.
const LATIN_ARTICLES: [&str; 3] = ["el", "al", "l"];

/// Whether both are one name in this script; an empty one is nobody's.
pub fn same_name(script: Script, one: &str, other: &str) -> bool {
    let (one, other) = (script.plain(one), script.plain(other));
    let (one, other) = (words(&one), words(&other));
    if one.is_empty() || other.is_empty() {
        return false;
    }
    one.concat() == other.concat() || without_articles(script, &one) == without_articles(script, &other)
}

/// Whether a text has the name in it, word by word.
pub fn mentions(script: Script, text: &str, name: &str) -> bool {
    let (text, name) = (script.plain(text), script.plain(name));
    let bare = |words: Vec<&str>| -> Vec<String> {
        let words = words.into_iter();
        words
            .filter_map(|word| bare(script, word))
            .map(str::to_owned)
            .collect()
    };
    let (text, name) = (bare(words(&text)), bare(words(&name)));
    !name.is_empty() && text.windows(name.len()).any(|part| part == name)
}

fn words(plain: &str) -> Vec<&str> {
    plain.split(' ').filter(|word| !word.is_empty()).collect()
}

fn without_articles(script: Script, words: &[&str]) -> String {
    let bare: String = words.iter().filter_map(|word| bare(script, word)).collect();
    // A name that is nothing but an article is itself.
    if bare.is_empty() { words.concat() } else { bare }
}

fn bare(script: Script, word: &str) -> Option<&str> {
    match script {
        Script::Latin => (!LATIN_ARTICLES.contains(&word)).then_some(word),
        Script::Arabic => Some(match word.strip_prefix(ARTICLE) {
            Some(rest) if rest.chars().count() >= LEFT_OF_WORD => rest,
            _ => word,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_that_means_nothing_is_forgiven() {
        for (script, one, other) in [
            (Script::Latin, "El Idrissi", "EL-IDRISSI"),
            (Script::Latin, "El Idrissi", "Idrissi"),
            (Script::Latin, "Elidrissi", "El Idrissi"),
            (Script::Latin, "Fatima-Zahra", "fatima zahra"),
            (Script::Latin, "Bénali", "Benali"),
            (Script::Arabic, "الإدريسي", "الادريسي"),
            (Script::Arabic, "الإدريسي", "إدريسي"),
            (Script::Arabic, "فاطمة", "فاطمه"),
            (Script::Arabic, "عبد الله", "عبدالله"),
            (Script::Arabic, "مُصطفى", "مصطفي"),
        ] {
            assert!(same_name(script, one, other), "{one} {other}");
        }
    }

    #[test]
    fn another_s_name_is_another_s_however_near() {
        for (script, one, other) in [
            (Script::Latin, "Hassan", "Hussein"),
            (Script::Latin, "Hassan", "Hasna"),
            (Script::Latin, "Mohamed", "Mohammed"),
            (Script::Latin, "Karim", "Karima"),
            (Script::Latin, "Ouahbi", "Wahbi"),
            (Script::Latin, "", ""),
            (Script::Latin, "-", " "),
            (Script::Arabic, "حسن", "حسين"),
            (Script::Arabic, "كريم", "كريمة"),
        ] {
            assert!(!same_name(script, one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_text_names_somebody_word_by_word() {
        let text = "Marié le 12 mai 2014 à Rabat avec Karim El Alaoui, né en 1988";
        assert!(mentions(Script::Latin, text, "Karim Alaoui"));
        assert!(!mentions(Script::Latin, text, "Karima Alaoui"));
        assert!(!mentions(Script::Latin, text, "Alaoui Karim"));
        assert!(!mentions(Script::Latin, text, ""));
        assert!(mentions(
            Script::Arabic,
            "تزوجت بالسيد كريم العلوي",
            "كريم العلوي"
        ));
    }
}
