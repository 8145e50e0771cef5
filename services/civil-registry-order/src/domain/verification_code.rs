//! Codes by which anybody verifies a document: twelve symbols of Crockford's Base32, 60 bits.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SYMBOLS: usize = 12;

/// A code from random bits.
pub fn from_random(random: u64) -> String {
    (0..SYMBOLS)
        .map(|place| char::from(ALPHABET[(random >> (5 * place)) as usize % ALPHABET.len()]))
        .collect()
}

/// As people read it: three groups of four.
pub fn shown(code: &str) -> String {
    let symbols: Vec<char> = code.chars().collect();
    let groups: Vec<String> = symbols.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_twelve_symbols_in_three_groups() {
        assert_eq!(from_random(0), "000000000000");
        assert_eq!(from_random(u64::MAX), "ZZZZZZZZZZZZ");
        assert_eq!(shown(&from_random(31)), "Z000-0000-0000");
        assert_ne!(from_random(1 << 55), from_random(0));
    }
}
