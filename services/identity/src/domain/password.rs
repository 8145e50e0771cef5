//! What may be a password (NIST SP 800-63B: length and a list of known ones, no composition rules).

use std::collections::HashSet;

use secrecy::{ExposeSecret, SecretString};

use super::common_passwords::COMMON;

const SHORTEST: usize = 12;
const LONGEST: usize = 256;
const FEWEST_DISTINCT: usize = 5;

/// A new password that follows the policy.
#[derive(Debug, Clone)]
pub struct NewPassword(SecretString);

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the password is shorter than {SHORTEST} characters")]
    TooShort,
    #[error("the password is longer than {LONGEST} characters")]
    TooLong,
    #[error("the password is among those tried first by anyone who guesses")]
    TooCommon,
}

impl PasswordError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooShort => "PASSWORD_TOO_SHORT",
            Self::TooLong => "PASSWORD_TOO_LONG",
            Self::TooCommon => "PASSWORD_TOO_COMMON",
        }
    }
}

impl NewPassword {
    /// # Errors
    /// [`PasswordError`].
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let length = text.chars().count();
        if length < SHORTEST {
            return Err(PasswordError::TooShort);
        }
        if length > LONGEST {
            return Err(PasswordError::TooLong);
        }
        let folded = text.to_lowercase();
        let distinct = folded.chars().collect::<HashSet<_>>().len();
        if distinct < FEWEST_DISTINCT || COMMON.binary_search(&folded.as_str()).is_ok() {
            return Err(PasswordError::TooCommon);
        }
        Ok(Self(SecretString::from(text)))
    }

    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_the_list_decide() {
        let check = |text: &str| NewPassword::parse(text).err();
        assert_eq!(check("court"), Some(PasswordError::TooShort));
        assert_eq!(check(&"ab1cé".repeat(52)), Some(PasswordError::TooLong));
        assert_eq!(check("MotDePasse1234"), Some(PasswordError::TooCommon));
        assert_eq!(check("ababababababab"), Some(PasswordError::TooCommon));
        assert_eq!(check("une phrase que je retiens"), None);
        assert_eq!(check("كلمة سر طويلة"), None);
    }

    #[test]
    fn the_list_can_be_searched() {
        assert!(COMMON.is_sorted());
        assert!(
            COMMON
                .iter()
                .all(|word| word.chars().count() >= SHORTEST && *word == word.to_lowercase())
        );
    }

    #[test]
    fn a_password_does_not_print() {
        let password = NewPassword::parse("une phrase que je retiens").unwrap();
        assert!(!format!("{password:?}").contains("phrase"));
    }
}
