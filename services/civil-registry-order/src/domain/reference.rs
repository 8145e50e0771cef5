//! References that can be dictated by phone.
//!
//! The alphabet has no two symbols that look or, spelled in French, sound alike: no O or Q beside 0, no I, L or 1, no S, B, Z or G beside 5, 8, 2
//! and 6, none of the letters that rhyme with P, no N beside M. It has 19 symbols, a prime number, so that one check symbol finds every single
//! wrong symbol and every exchange of two neighbours.

use std::fmt;

use crate::domain::act_key::western;

const ALPHABET: &[u8; 19] = b"23456789AFHJKMPRWXY";
/// Symbols before the check symbol: 19⁹ is about 2³⁸.
const RANDOM_SYMBOLS: usize = 9;
const SYMBOLS: usize = RANDOM_SYMBOLS + 1;
/// Largest ordinal of a line.
const LINES: u8 = 20;

/// Why a text is no reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("must be a reference such as W4K7-M2PX-93")]
    Malformed,
    /// A symbol was misheard or mistyped.
    #[error("does not end in the right check character: one character is wrong, or two are exchanged")]
    Check,
}

impl ReferenceError {
    /// The stable code.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "REFERENCE_MALFORMED",
            Self::Check => "REFERENCE_CHECK",
        }
    }
}

/// The reference of an order: ten symbols, the last of them a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reference([u8; SYMBOLS]);

/// The reference of a line: its order's and its ordinal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineReference {
    pub order: Reference,
    pub ordinal: u8,
}

impl Reference {
    /// Makes one from random bytes.
    pub fn from_random(random: u64) -> Self {
        let mut rest = random;
        let mut values = [0; SYMBOLS];
        for value in &mut values[..RANDOM_SYMBOLS] {
            *value = (rest % 19) as u8;
            rest /= 19;
        }
        values[RANDOM_SYMBOLS] = check_of(&values);
        Self(values.map(|value| ALPHABET[usize::from(value)]))
    }

    /// Reads what was typed or dictated: case, spaces and hyphens are forgiven, and symbols that are only ever meant for another.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let symbols = symbols(text);
        let symbols: [u8; SYMBOLS] = symbols
            .as_slice()
            .try_into()
            .map_err(|_| ReferenceError::Malformed)?;
        Self::of_symbols(symbols)
    }

    fn of_symbols(symbols: [u8; SYMBOLS]) -> Result<Self, ReferenceError> {
        let symbols = symbols.map(meant);
        let mut values = [0; SYMBOLS];
        for (value, symbol) in values.iter_mut().zip(symbols) {
            let place = ALPHABET.iter().position(|known| *known == symbol);
            *value = u8::try_from(place.ok_or(ReferenceError::Malformed)?)
                .map_err(|_| ReferenceError::Malformed)?;
        }
        if check_of(&values) != values[RANDOM_SYMBOLS] {
            return Err(ReferenceError::Check);
        }
        Ok(Self(symbols))
    }

    /// The symbols without hyphens, as stored.
    pub fn compact(&self) -> String {
        self.0.iter().copied().map(char::from).collect()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.compact();
        write!(formatter, "{}-{}-{}", &text[..4], &text[4..8], &text[8..])
    }
}

impl LineReference {
    /// Reads what was scanned or typed.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let symbols = symbols(text);
        let (order, ordinal) = symbols
            .split_first_chunk::<SYMBOLS>()
            .ok_or(ReferenceError::Malformed)?;
        let ordinal = std::str::from_utf8(ordinal)
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|ordinal| (1..=LINES).contains(ordinal))
            .ok_or(ReferenceError::Malformed)?;
        Ok(Self {
            order: Reference::of_symbols(*order)?,
            ordinal,
        })
    }
}

impl fmt::Display for LineReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.order, self.ordinal)
    }
}

fn symbols(text: &str) -> Vec<u8> {
    western(text)
        .chars()
        .filter(|character| !character.is_whitespace() && !matches!(character, '-' | '‑' | '–' | '.' | '/'))
        // What is no ASCII is kept as something that no alphabet has.
        .map(|character| u8::try_from(character.to_ascii_uppercase()).unwrap_or(b'?'))
        .collect()
}

/// The symbol that somebody meant who wrote one that is never given.
fn meant(symbol: u8) -> u8 {
    match symbol {
        b'S' => b'5',
        b'B' => b'8',
        b'Z' => b'2',
        b'G' => b'6',
        b'N' => b'M',
        _ => symbol,
    }
}

/// Σ (weight × value) mod 19 with weights 2 to 10: prime modulus, weights all different.
fn check_of(values: &[u8; SYMBOLS]) -> u8 {
    let sum: usize = values[..RANDOM_SYMBOLS]
        .iter()
        .enumerate()
        .map(|(place, value)| (place + 2) * usize::from(*value))
        .sum();
    (sum % 19) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(random: u64, ordinal in 1u8..=LINES) {
            let reference = Reference::from_random(random);
            prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference));
            prop_assert_eq!(Reference::parse(&reference.compact().to_lowercase()), Ok(reference));
            let line = LineReference { order: reference, ordinal };
            prop_assert_eq!(LineReference::parse(&line.to_string()), Ok(line));
            prop_assert_eq!(LineReference::parse(&line.to_string().replace('-', " ")), Ok(line));
        }

        #[test]
        fn one_wrong_symbol_is_found(random: u64, place in 0usize..SYMBOLS, other in 0usize..19) {
            let reference = Reference::from_random(random);
            let mut symbols = reference.0;
            prop_assume!(symbols[place] != ALPHABET[other]);
            symbols[place] = ALPHABET[other];
            prop_assert_eq!(Reference::of_symbols(symbols), Err(ReferenceError::Check));
        }

        #[test]
        fn two_exchanged_neighbours_are_found(random: u64, place in 0usize..SYMBOLS - 1) {
            let reference = Reference::from_random(random);
            let mut symbols = reference.0;
            prop_assume!(symbols[place] != symbols[place + 1]);
            symbols.swap(place, place + 1);
            prop_assert_eq!(Reference::of_symbols(symbols), Err(ReferenceError::Check));
        }
    }

    #[test]
    fn what_was_meant_is_taken_and_nonsense_is_not() {
        let reference = Reference::from_random(0);
        assert_eq!(reference.to_string(), "2222-2222-22");
        assert_eq!(Reference::parse("zzzz zzzz ZZ"), Ok(reference));
        assert_eq!(Reference::parse("٢٢٢٢ ٢٢٢٢ ٢٢"), Ok(reference));
        for bad in ["", "2222-2222-2", "2222-2222-222", "O222-2222-22", "é222-2222-22"] {
            assert_eq!(Reference::parse(bad), Err(ReferenceError::Malformed), "{bad}");
        }
        for bad in [
            "2222-2222-22",
            "2222-2222-22-0",
            "2222-2222-22-21",
            "2222-2222-22-1x",
        ] {
            assert_eq!(LineReference::parse(bad), Err(ReferenceError::Malformed), "{bad}");
        }
    }
}
