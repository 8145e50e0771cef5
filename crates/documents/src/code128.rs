//! Code 128 (ISO/IEC 15417), subsets B and C, as SVG.

use std::fmt::Write;

/// Modules of bars and spaces of each symbol value, then of start A, B and C; the stop follows.
const PATTERNS: [&str; 106] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213",
    "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132",
    "221231", "213212", "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211",
    "212123", "212321", "232121", "111323", "131123", "131321", "112313", "132113", "132311", "211313",
    "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121", "313121", "211331",
    "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
    "314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214",
    "112412", "122114", "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111",
    "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311", "113141",
    "114131", "311141", "411131", "211412", "211214", "211232",
];
const STOP: &str = "2331112";
const TO_C: u8 = 99;
const TO_B: u8 = 100;
const START_B: u8 = 104;
const START_C: u8 = 105;
/// Narrow modules left and right of the symbol (clause 4.3.1).
const QUIET: u32 = 10;
const HEIGHT: u32 = 40;

/// A character that subsets B and C do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Code 128 takes printable ASCII, at least one character")]
pub struct NotEncodable;

/// The symbol of a text as SVG, one unit a module, with its quiet zones, 40 units high.
///
/// # Errors
/// [`NotEncodable`].
pub fn code128_svg(text: &str) -> Result<String, NotEncodable> {
    let mut path = String::new();
    let mut x = QUIET;
    for pattern in values(text)?
        .into_iter()
        .map(|value| PATTERNS[usize::from(value)])
        .chain([STOP])
    {
        for (index, width) in pattern.bytes().map(|digit| u32::from(digit - b'0')).enumerate() {
            if index % 2 == 0 {
                write!(path, "M{x} 0h{width}v{HEIGHT}h-{width}z").expect("a string takes everything");
            }
            x += width;
        }
    }
    let width = x + QUIET;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" width=\"{width}\" height=\"{HEIGHT}\">\
         <path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

/// Symbol values from start to check character.
fn values(text: &str) -> Result<Vec<u8>, NotEncodable> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || !bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return Err(NotEncodable);
    }
    let mut values = Vec::with_capacity(bytes.len() + 3);
    let mut in_c = false;
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // Two digits a symbol pay for the change from four digits on; an odd one stays in B.
        let pairs = digits >= if in_c { 2 } else { 4 } && (in_c || digits.is_multiple_of(2));
        if values.is_empty() {
            values.push(if pairs { START_C } else { START_B });
        } else if pairs != in_c {
            values.push(if pairs { TO_C } else { TO_B });
        }
        in_c = pairs;
        if pairs {
            let (pair, tail) = rest.split_at(2);
            values.push((pair[0] - b'0') * 10 + (pair[1] - b'0'));
            rest = tail;
        } else {
            values.push(first - b' ');
            rest = tail;
        }
    }
    let sum: u32 = values
        .iter()
        .zip(std::iter::once(1).chain(1..))
        .map(|(value, weight)| u32::from(*value) * weight)
        .sum();
    values.push(u8::try_from(sum % 103).map_err(|_| NotEncodable)?);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_number_changes_to_pairs_of_digits_and_back() {
        // RR1 in B, 23 45 67 85 in C, MA in B.
        let expected = [START_B, 50, 50, 17, TO_C, 23, 45, 67, 85, TO_B, 45, 33];
        let found = values("RR123456785MA").unwrap();
        assert_eq!(found[..found.len() - 1], expected);
        let sum: usize = expected
            .iter()
            .enumerate()
            .map(|(index, value)| usize::from(*value) * index.max(1))
            .sum();
        assert_eq!(usize::from(found[found.len() - 1]), sum % 103);
    }

    #[test]
    fn vectors_of_the_literature() {
        assert_eq!(
            values("PJJ123C").unwrap(),
            [START_B, 48, 42, 42, 17, 18, 19, 35, 55]
        );
        assert_eq!(values("123456").unwrap(), [START_C, 12, 34, 56, 44]);
        assert_eq!(values(" ").unwrap(), [START_B, 0, 1]);
    }

    #[test]
    fn every_pattern_is_eleven_modules_and_none_is_twice() {
        for pattern in PATTERNS {
            assert_eq!(
                pattern.bytes().map(|digit| digit - b'0').sum::<u8>(),
                11,
                "{pattern}"
            );
            // Bars of each symbol add up to an even number (clause 4.2.2).
            assert_eq!(
                pattern.bytes().step_by(2).map(|digit| digit - b'0').sum::<u8>() % 2,
                0,
                "{pattern}"
            );
        }
        let different: std::collections::BTreeSet<_> = PATTERNS.iter().collect();
        assert_eq!(different.len(), PATTERNS.len());
    }

    #[test]
    fn the_drawing_has_the_width_of_its_symbols() {
        // Start, 11 characters and changes, check: 13 symbols of 11 modules, a stop of 13, two quiet zones.
        let drawing = code128_svg("RR123456785MA").unwrap();
        assert!(
            drawing.contains(&format!("viewBox=\"0 0 {} 40\"", 13 * 11 + 13 + 20)),
            "{drawing}"
        );
        assert_eq!(drawing.matches('M').count(), 13 * 3 + 4);
    }

    #[test]
    fn what_it_cannot_hold_is_refused() {
        for text in ["", "é", "a\n"] {
            assert_eq!(code128_svg(text), Err(NotEncodable), "{text:?}");
        }
    }
}
