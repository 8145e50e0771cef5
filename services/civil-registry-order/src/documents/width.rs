//! How wide a text is at most, where it is printed. A row that is known to take one line is laid out once; the height of any other is found by
//! laying it out twice, which is most of the work of drawing.

/// Wider than any line.
const UNKNOWN: f64 = 1_000.0;

/// An upper bound of the width in em, of Noto Sans in bold and of Amiri in bold at 1.2 of the size: by letter, in the widest of its forms.
pub(super) fn at_most(text: &str) -> f64 {
    let tenths: u32 = text.chars().map(tenths).sum();
    if tenths >= 10_000 {
        UNKNOWN
    } else {
        f64::from(tenths) / 10.0
    }
}

fn tenths(letter: char) -> u32 {
    match letter {
        '\u{64b}'..='\u{652}' => 0,
        ' ' | '0'..='9' | '-' | '.' | ',' | '\'' | '’' | '/' | '(' | ')' | ':' => 6,
        'm' | 'w' | 'A'..='Z' => 10,
        'a'..='z' | 'à'..='ö' | 'ø'..='ÿ' => 7,
        'À'..='Ö' | 'Ø'..='Þ' => 10,
        'ا' | 'آ' | 'أ' | 'إ' | 'ء' | 'ر' | 'ز' | 'ؤ' | 'و' | 'د' | 'ذ' | 'ة' | '،' => 6,
        'ه' | 'م' | 'ع' | 'غ' | 'ن' | 'ل' | 'ك' | 'ج' | 'ح' | 'خ' => 9,
        'ق' | 'ئ' | 'ى' | 'ي' | 'ط' | 'ظ' => 11,
        'ب' | 'ت' | 'ث' | 'ف' | 'س' | 'ش' => 13,
        'ص' | 'ض' => 16,
        _ => 10_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_bound_and_what_is_rare_has_none() {
        assert!((3.0..5.0).contains(&at_most("Salma")));
        assert!(at_most("الدار البيضاء") < 16.0);
        assert!(at_most("ⴰⵎⵉⵏⴰ") >= UNKNOWN);
        assert!(at_most("ﷺ") >= UNKNOWN);
    }
}
