//! Item numbers of UPU standard S10: service indicator, eight-digit serial, check digit, country.

use std::fmt;

/// Largest serial.
pub const LAST_SERIAL: u32 = 99_999_999;

/// Weights of the serial's digits (UPU S10).
const WEIGHTS: [u32; 8] = [8, 6, 4, 2, 3, 5, 9, 7];

/// A number whose check digit is right. Prints as it stands on the label, such as `RR123456785MA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackingId {
    service: [u8; 2],
    serial: u32,
    country: [u8; 2],
}

/// Why a text is no item number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrackingIdError {
    #[error("an item number has two letters, nine digits and two letters, such as RR123456785MA")]
    Form,
    #[error("the check digit of this serial is {expected}, not {found}: a digit was mistyped")]
    CheckDigit { expected: u32, found: u32 },
}

impl TrackingIdError {
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Form => "TRACKING_ID_MALFORMED",
            Self::CheckDigit { .. } => "CHECK_DIGIT_WRONG",
        }
    }
}

impl TrackingId {
    /// The number of a serial; none where letters are not two upper-case letters or the serial has more than eight digits.
    pub fn new(service: [u8; 2], serial: u32, country: [u8; 2]) -> Option<Self> {
        let letters = service.iter().chain(&country).all(u8::is_ascii_uppercase);
        (letters && serial <= LAST_SERIAL).then_some(Self {
            service,
            serial,
            country,
        })
    }

    /// Reads what was typed or scanned: case is forgiven, and so are spaces, hyphens, and Arabic digits.
    ///
    /// # Errors
    /// [`TrackingIdError`].
    pub fn parse(text: &str) -> Result<Self, TrackingIdError> {
        let mut kept = [0u8; 13];
        let mut count = 0;
        for character in text.chars() {
            if character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '.') {
                continue;
            }
            let ascii = plain(character).ok_or(TrackingIdError::Form)?;
            *kept.get_mut(count).ok_or(TrackingIdError::Form)? = ascii;
            count += 1;
        }
        let [s0, s1, digits @ .., c0, c1] = kept;
        if count < kept.len() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(TrackingIdError::Form);
        }
        let number = digits
            .iter()
            .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        let (serial, found) = (number / 10, number % 10);
        let id = Self::new([s0, s1], serial, [c0, c1]).ok_or(TrackingIdError::Form)?;
        let expected = check_digit(serial);
        if expected == found {
            Ok(id)
        } else {
            Err(TrackingIdError::CheckDigit { expected, found })
        }
    }

    pub const fn serial(&self) -> u32 {
        self.serial
    }

    /// With a space between its parts, as people read it.
    pub fn spaced(&self) -> String {
        let text = self.to_string();
        let (service, rest) = text.split_at(2);
        let (digits, country) = rest.split_at(9);
        let (a, b, c) = (&digits[..3], &digits[3..6], &digits[6..]);
        format!("{service} {a} {b} {c} {country}")
    }
}

impl fmt::Display for TrackingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (service, country) = (letters(&self.service), letters(&self.country));
        write!(
            formatter,
            "{service}{:08}{}{country}",
            self.serial,
            check_digit(self.serial)
        )
    }
}

fn letters(pair: &[u8; 2]) -> String {
    pair.iter().map(|letter| char::from(*letter)).collect()
}

/// The upper-case ASCII letter or digit that was meant.
fn plain(character: char) -> Option<u8> {
    let character = match character {
        '\u{0660}'..='\u{0669}' => char::from_digit(u32::from(character) - 0x0660, 10)?,
        '\u{06f0}'..='\u{06f9}' => char::from_digit(u32::from(character) - 0x06f0, 10)?,
        other => other.to_ascii_uppercase(),
    };
    character
        .is_ascii_alphanumeric()
        .then(|| u8::try_from(character).ok())
        .flatten()
}

/// The check digit of a serial (UPU S10): 11 less the weighted sum modulo 11, where 10 is written 0 and 11 is written 5.
pub fn check_digit(serial: u32) -> u32 {
    let digits = (0..8u32).map(|place| serial / 10u32.pow(7 - place) % 10);
    let sum: u32 = digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => digit,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn check_digits_of_the_standard() {
        let vectors = [
            (47_312_482, 9),
            (12_345_678, 5),
            (0, 5),
            (1, 4),
            (8, 0),
            (15, 5),
            (20_260_001, 1),
            (87_654_321, 6),
        ];
        for (serial, digit) in vectors {
            assert_eq!(check_digit(serial), digit, "{serial}");
        }
    }

    #[test]
    fn typed_numbers_are_forgiven() {
        for text in [
            "RR123456785MA",
            " rr 123 456 785 ma ",
            "RR-12345678-5-MA",
            "rr١٢٣٤٥٦٧٨٥ma",
        ] {
            assert_eq!(
                TrackingId::parse(text).unwrap().to_string(),
                "RR123456785MA",
                "{text}"
            );
        }
        let id = TrackingId::parse("RR473124829MA").unwrap();
        assert_eq!(
            (id.serial(), id.spaced().as_str()),
            (47_312_482, "RR 473 124 829 MA")
        );
    }

    #[test]
    fn a_wrong_check_digit_names_the_right_one() {
        let wrong = TrackingIdError::CheckDigit {
            expected: 5,
            found: 4,
        };
        assert_eq!(TrackingId::parse("RR123456784MA"), Err(wrong.clone()));
        assert!(wrong.to_string().contains("is 5, not 4"));
        for text in [
            "",
            "RR12345678MA",
            "RR1234567855MA",
            "R1123456785MA",
            "RR123456785M1",
            "RR12345678OMA",
            "RRé23456785MA",
        ] {
            assert_eq!(TrackingId::parse(text), Err(TrackingIdError::Form), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_read_back_and_one_wrong_digit_is_found(serial in 0..=LAST_SERIAL, place in 2usize..11, by in 1u8..10) {
            let id = TrackingId::new(*b"RR", serial, *b"MA").unwrap();
            let text = id.to_string();
            prop_assert_eq!(TrackingId::parse(&text), Ok(id));
            let mut wrong = text.into_bytes();
            wrong[place] = (wrong[place] - b'0' + by) % 10 + b'0';
            let wrong = String::from_utf8(wrong).unwrap();
            // The standard writes the check values 5 and 11 alike: only there can a wrong digit escape.
            if let Ok(other) = TrackingId::parse(&wrong) {
                prop_assert_eq!(check_digit(other.serial()), 5, "{}", wrong);
            }
        }

        #[test]
        fn nothing_typed_panics(text in ".{0,40}") {
            let _ = TrackingId::parse(&text);
        }
    }
}
