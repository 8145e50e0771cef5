//! The short code on a legalisation page: 60 random bits in Crockford's base 32, which has no letter that reads like a digit.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 12;

/// A verification code, normalised: 12 characters without hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerificationCode(String);

impl VerificationCode {
    /// A code from random bytes; the upper 60 bits count.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        let bits = u64::from_be_bytes(bytes);
        let symbol = |index: usize| ALPHABET[((bits >> (59 - 5 * index)) & 31) as usize] as char;
        Self((0..LENGTH).map(symbol).collect())
    }

    /// Reads what a person types: any case, with or without hyphens and spaces; O counts as 0, I and L as 1.
    pub fn parse(text: &str) -> Option<Self> {
        let symbol = |character: char| match character.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            other => ALPHABET.contains(&u8::try_from(other).ok()?).then_some(other),
        };
        let kept = text
            .chars()
            .filter(|character| !matches!(character, '-' | ' ' | '\u{2010}' | '\u{2011}'));
        let code: String = kept.map(symbol).collect::<Option<_>>()?;
        (code.len() == LENGTH).then_some(Self(code))
    }

    /// As stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As printed: three groups of four.
    pub fn grouped(&self) -> String {
        format!("{}-{}-{}", &self.0[..4], &self.0[4..8], &self.0[8..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_code_reads_back() {
        let code = VerificationCode::from_random([0xff, 0x00, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc]);
        assert_eq!(VerificationCode::parse(&code.grouped()), Some(code.clone()));
        assert_eq!(
            VerificationCode::parse(&code.grouped().to_lowercase()),
            Some(code)
        );
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(VerificationCode::from_random([0; 8]).as_str(), "000000000000");
        assert_eq!(VerificationCode::from_random([0xff; 8]).as_str(), "ZZZZZZZZZZZZ");
        assert_eq!(
            VerificationCode::from_random([0, 0, 0, 0, 0, 0, 0, 0x10]).as_str(),
            "000000000001"
        );
    }

    #[test]
    fn letters_that_look_like_digits_are_forgiven_and_others_are_not() {
        assert_eq!(
            VerificationCode::parse("oOiIlL 000000")
                .as_ref()
                .map(VerificationCode::as_str),
            Some("001111000000")
        );
        assert_eq!(VerificationCode::parse("U00000000000"), None);
        assert_eq!(VerificationCode::parse("00000000000"), None);
        assert_eq!(VerificationCode::parse("0000000000000"), None);
        assert_eq!(VerificationCode::parse("رمز000000000"), None);
    }
}
