//! Text of people and carriers: what may be stored, printed and exported.

use crate::party::Fault;

/// Control characters, and characters that change the direction or the place of others (Unicode UAX #9, explicit
/// formatting): a label must show what is stored.
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{2028}' | '\u{2029}'
        )
}

/// A letter of the Arabic script.
pub fn is_arabic(character: char) -> bool {
    matches!(character, '\u{0600}'..='\u{06ff}' | '\u{0750}'..='\u{077f}' | '\u{08a0}'..='\u{08ff}'
        | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
        && character.is_alphabetic()
}

/// Trimmed text of at most `longest` characters, or none where it is empty.
///
/// # Errors
/// [`Fault`] without a field.
pub fn printable(text: &str, longest: usize) -> Result<Option<String>, Fault> {
    let text = text.trim();
    if text.chars().count() > longest {
        return Err(Fault::new("LENGTH", format!("has at most {longest} characters")));
    }
    if text.chars().any(is_unprintable) {
        return Err(Fault::new(
            "UNPRINTABLE",
            "has no control or text-direction characters",
        ));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// As [`printable`], for text that goes into files for the carrier: nothing in it begins with what a spreadsheet takes for a formula, also not
/// after the semicolon by which some of them divide a line.
///
/// # Errors
/// [`Fault`] without a field.
pub fn line(text: &str, longest: usize) -> Result<Option<String>, Fault> {
    let checked = printable(text, longest)?;
    let begins_well = |text: &str| {
        !text
            .trim_start()
            .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
    };
    let is_no_formula = |text: &String| text.split([';', '；']).all(begins_well);
    if checked.as_ref().is_none_or(is_no_formula) {
        Ok(checked)
    } else {
        Err(Fault::new(
            "MALFORMED",
            "begins with another character than =, +, - and @, also after a semicolon",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<Option<&str>, &str>) {
        let found = line(text, 10).map_err(|fault| fault.reason);
        assert_eq!(
            found.as_ref().map(|found| found.as_deref()),
            expect.as_ref().copied(),
            "{text:?}"
        );
    }

    #[test]
    fn lines_are_trimmed_and_printable() {
        check("  Rue 12 ", Ok(Some("Rue 12")));
        check("  ", Ok(None));
        check("01234567890", Err("LENGTH"));
        check("a\u{202e}b", Err("UNPRINTABLE"));
        check("a\nb", Err("UNPRINTABLE"));
        for formula in ["=1+1", " \t=1", "\r@SUM", "+1", "-1", "@a", "＝1", "a; =1+1"] {
            assert!(line(formula, 10).is_err(), "{formula:?}");
        }
        check("a;b-c", Ok(Some("a;b-c")));
        check("زنقة ١٢", Ok(Some("زنقة ١٢")));
    }
}
