//! Identity documents. Kind and number are attributes of a person; the person's id never derives from them.

use super::redacted;
use super::vocabulary::words;

words! {
    /// The kinds of identity document a person may name.
    DocumentKind { Cin = "cin", Passport = "passport", ResidenceCard = "residence_card" }
}

/// An identity document as named by a person or read by an official.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityDocument {
    kind: DocumentKind,
    number: String,
    typed: String,
}

redacted!(IdentityDocument);

/// Why a number is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("the number is missing")]
    Missing,
    #[error("the number is longer than {MAX_TYPED} characters")]
    TooLong,
    #[error("the number does not have the form of this kind of document")]
    Form,
}

impl DocumentError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "REQUIRED",
            Self::TooLong => "TOO_LONG",
            Self::Form => "DOCUMENT_NUMBER_FORM",
        }
    }
}

const MAX_TYPED: usize = 40;

impl IdentityDocument {
    /// Takes a number as typed: upper-cased, without spaces, hyphens or dots, Arabic digits as Latin ones. A CIN is one or
    /// two Latin letters and one to eight digits: public validators disagree on more, so no more is required.
    ///
    /// # Errors
    /// [`DocumentError`] when the number cannot be one of this kind.
    pub fn parse(kind: DocumentKind, typed: &str) -> Result<Self, DocumentError> {
        if typed.chars().count() > MAX_TYPED {
            return Err(DocumentError::TooLong);
        }
        let number: String = typed
            .chars()
            .filter(|c| !is_separator(*c))
            .map(normalise)
            .collect();
        if number.is_empty() {
            return Err(DocumentError::Missing);
        }
        let well_formed = match kind {
            DocumentKind::Cin => is_cin(&number),
            // ICAO 9303 allows nine characters in a passport's machine-readable zone; older ones print more.
            DocumentKind::Passport | DocumentKind::ResidenceCard => {
                (4..=15).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric())
            }
        };
        if well_formed {
            Ok(Self {
                kind,
                number,
                typed: typed.trim().to_owned(),
            })
        } else {
            Err(DocumentError::Form)
        }
    }

    /// A document that was parsed before and comes back from the store.
    pub fn stored(kind: DocumentKind, number: String, typed: String) -> Self {
        Self { kind, number, typed }
    }

    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// Normalised: upper case, without separators.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// As the person wrote it.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// A CIN with a number of digits seldom seen (outside five to seven): worth a second look, never a refusal.
    pub fn is_unusual(&self) -> bool {
        self.kind == DocumentKind::Cin
            && !(5..=7).contains(&self.number.bytes().filter(u8::is_ascii_digit).count())
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '.' | '\u{2010}'..='\u{2015}' | '\u{200e}' | '\u{200f}')
}

fn normalise(c: char) -> char {
    match c {
        '\u{0660}'..='\u{0669}' => char::from(b'0' + (c as u32 - 0x0660) as u8),
        '\u{06f0}'..='\u{06f9}' => char::from(b'0' + (c as u32 - 0x06f0) as u8),
        _ => c.to_ascii_uppercase(),
    }
}

fn is_cin(number: &str) -> bool {
    let letters = number.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = &number.as_bytes()[letters..];
    (1..=2).contains(&letters) && (1..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(kind: DocumentKind, typed: &str) -> Result<String, DocumentError> {
        IdentityDocument::parse(kind, typed).map(|document| document.number().to_owned())
    }

    #[test]
    fn a_cin_is_normalised_and_kept_as_typed() {
        let document = IdentityDocument::parse(DocumentKind::Cin, " be-123 456 ").unwrap();
        assert_eq!((document.number(), document.typed()), ("BE123456", "be-123 456"));
        assert_eq!(number(DocumentKind::Cin, "ab٤٥٦٧٨").unwrap(), "AB45678");
    }

    #[test]
    fn what_cannot_be_a_number_is_refused() {
        for typed in ["123456", "ABC12345", "A", "A123456789", "A12B34", "Б12345"] {
            assert_eq!(
                number(DocumentKind::Cin, typed),
                Err(DocumentError::Form),
                "{typed}"
            );
        }
        assert_eq!(number(DocumentKind::Cin, " - "), Err(DocumentError::Missing));
        assert_eq!(number(DocumentKind::Passport, "AB1"), Err(DocumentError::Form));
        assert_eq!(
            number(DocumentKind::Passport, &"A".repeat(41)),
            Err(DocumentError::TooLong)
        );
        assert_eq!(
            number(DocumentKind::ResidenceCard, "x 1234-567").unwrap(),
            "X1234567"
        );
    }

    #[test]
    fn seldom_lengths_are_noted_not_refused() {
        assert!(
            !IdentityDocument::parse(DocumentKind::Cin, "A123456")
                .unwrap()
                .is_unusual()
        );
        assert!(
            IdentityDocument::parse(DocumentKind::Cin, "A1234")
                .unwrap()
                .is_unusual()
        );
        assert!(
            IdentityDocument::parse(DocumentKind::Cin, "AB12345678")
                .unwrap()
                .is_unusual()
        );
    }

    proptest! {
        #[test]
        fn separators_and_case_never_matter(letters in "[A-Z]{1,2}", digits in "[0-9]{1,8}", gap in "[ .-]{0,3}") {
            let plain = number(DocumentKind::Cin, &format!("{letters}{digits}")).unwrap();
            let spaced = number(DocumentKind::Cin, &format!("{}{gap}{digits}{gap}", letters.to_lowercase())).unwrap();
            prop_assert_eq!(plain, spaced);
        }

        #[test]
        fn no_input_panics_and_what_parses_parses_again(typed in "\\PC{0,45}") {
            for kind in [DocumentKind::Cin, DocumentKind::Passport, DocumentKind::ResidenceCard] {
                if let Ok(number) = number(kind, &typed) {
                    prop_assert_eq!(super::tests::number(kind, &number), Ok(number.clone()));
                }
            }
        }
    }
}
