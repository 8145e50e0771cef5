//! E-mail addresses and telephone numbers.

use super::redacted;
use super::vocabulary::Channel;

/// An e-mail address, kept as typed; two that differ only in case are the same account.
#[derive(Clone)]
pub struct Email(String);

/// A telephone number in E.164.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

redacted!(Email, Phone);

/// Why a contact is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContactError {
    #[error("the value is missing")]
    Missing,
    #[error("this is not an e-mail address")]
    NotAnEmail,
    #[error("this is not a telephone number")]
    NotAPhone,
    #[error("this is not a number that can receive text messages")]
    NotMobile,
}

impl ContactError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "REQUIRED",
            Self::NotAnEmail => "EMAIL_FORM",
            Self::NotAPhone => "PHONE_FORM",
            Self::NotMobile => "PHONE_NOT_MOBILE",
        }
    }
}

impl Email {
    /// RFC 5321 limits; the domain needs two labels.
    ///
    /// # Errors
    /// [`ContactError`].
    pub fn parse(text: &str) -> Result<Self, ContactError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ContactError::Missing);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(ContactError::NotAnEmail)?;
        if text.len() <= 254 && is_local_part(local) && is_domain(domain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ContactError::NotAnEmail)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one account have in common.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Email {}

fn is_local_part(local: &str) -> bool {
    (1..=64).contains(&local.len())
        && local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&b))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

fn is_domain(domain: &str) -> bool {
    domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

impl Phone {
    /// `0XXXXXXXXX`, `00212…`, `+212…` or any other E.164. Moroccan mobile numbers begin with 6 or 7; a fixed or special
    /// number cannot receive the codes.
    ///
    /// # Errors
    /// [`ContactError`].
    pub fn parse(text: &str) -> Result<Self, ContactError> {
        let digits: String = text
            .chars()
            .filter(|c| {
                !c.is_whitespace() && !matches!(c, '-' | '.' | '(' | ')' | '/' | '\u{200e}' | '\u{200f}')
            })
            .collect();
        if digits.is_empty() {
            return Err(ContactError::Missing);
        }
        let international = if let Some(rest) = digits.strip_prefix('+') {
            rest.to_owned()
        } else if let Some(rest) = digits.strip_prefix("00") {
            rest.to_owned()
        } else if let Some(rest) = digits.strip_prefix('0') {
            format!("212{rest}")
        } else {
            return Err(ContactError::NotAPhone);
        };
        // People write +212 (0)6…
        let international = match international.strip_prefix("2120") {
            Some(rest) => format!("212{rest}"),
            None => international,
        };
        check_international(&international)?;
        Ok(Self(format!("+{international}")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_international(digits: &str) -> Result<(), ContactError> {
    let is_number = (8..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    if !is_number {
        return Err(ContactError::NotAPhone);
    }
    match digits.strip_prefix("212") {
        None => Ok(()),
        Some(national) if national.len() != 9 => Err(ContactError::NotAPhone),
        Some(national) if national.starts_with(['6', '7']) => Ok(()),
        Some(_) => Err(ContactError::NotMobile),
    }
}

/// Where a message goes.
#[derive(Clone, PartialEq, Eq)]
pub enum Contact {
    Email(Email),
    Phone(Phone),
}

redacted!(Contact);

impl Contact {
    /// # Errors
    /// [`ContactError`].
    pub fn parse(channel: Channel, text: &str) -> Result<Self, ContactError> {
        match channel {
            Channel::Email => Email::parse(text).map(Self::Email),
            Channel::Phone => Phone::parse(text).map(Self::Phone),
        }
    }

    pub fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Phone(_) => Channel::Phone,
        }
    }

    /// What two spellings of one contact have in common.
    pub fn folded(&self) -> String {
        match self {
            Self::Email(email) => email.folded(),
            Self::Phone(phone) => phone.as_str().to_owned(),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Phone(phone) => phone.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phone(text: &str) -> Result<String, ContactError> {
        Phone::parse(text).map(|phone| phone.as_str().to_owned())
    }

    #[test]
    fn moroccan_numbers_are_stored_in_e164() {
        for text in [
            "0612345678",
            "06 12-34.56 78",
            "+212612345678",
            "00212612345678",
            "+212 (0)612345678",
        ] {
            assert_eq!(phone(text).as_deref(), Ok("+212612345678"), "{text}");
        }
        assert_eq!(phone("+33612345678").as_deref(), Ok("+33612345678"));
    }

    #[test]
    fn numbers_that_receive_no_text_are_refused() {
        assert_eq!(phone("0522334455"), Err(ContactError::NotMobile));
        assert_eq!(phone("0802006060"), Err(ContactError::NotMobile));
        for text in [
            "612345678",
            "06123",
            "+2126123456789",
            "+0612345678",
            "06123456ab",
            "+",
        ] {
            assert_eq!(phone(text), Err(ContactError::NotAPhone), "{text}");
        }
        assert_eq!(phone(" "), Err(ContactError::Missing));
    }

    #[test]
    fn e_mail_addresses() {
        assert_eq!(
            Email::parse(" Amina@Example.ma ").unwrap().as_str(),
            "Amina@Example.ma"
        );
        assert_eq!(Email::parse("Amina@Example.ma"), Email::parse("amina@example.MA"));
        for text in [
            "a",
            "a@",
            "@b.ma",
            "a@b",
            "a b@c.ma",
            "a@b..ma",
            ".a@b.ma",
            "a@-b.ma",
            "a@b.ma\r\nBcc: x@y.ma",
        ] {
            assert_eq!(Email::parse(text), Err(ContactError::NotAnEmail), "{text}");
        }
        assert_eq!(
            Email::parse(&format!("{}@b.ma", "a".repeat(65))),
            Err(ContactError::NotAnEmail)
        );
    }

    proptest! {
        #[test]
        fn every_spelling_of_a_mobile_number_is_one_number(rest in "[67][0-9]{8}") {
            let expected = format!("+212{rest}");
            for text in [format!("0{rest}"), format!("00212{rest}"), format!("+212 {rest}"), format!("+2120{rest}")] {
                prop_assert_eq!(phone(&text), Ok(expected.clone()));
            }
        }

        #[test]
        fn no_input_panics(text in "\\PC{0,40}") {
            if let Ok(number) = phone(&text) {
                prop_assert_eq!(phone(&number), Ok(number.clone()));
            }
            if let Ok(email) = Email::parse(&text) {
                prop_assert!(email.as_str().len() <= 254 && !email.as_str().contains(char::is_whitespace));
            }
        }
    }
}
